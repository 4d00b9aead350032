import { StatespaceBackend, type TensorInfo } from "@statespace/core/backend";

/** A launch is the loop itself. */
export type Launch = () => void;

/** The least a backend can be: the contract on plain JavaScript buffers. All ops but its fifteen kernels run composed. */
export class MinimalBackend extends StatespaceBackend<ArrayBuffer, Launch> {
  #held = 0;

  constructor() {
    super("minimal");
  }

  /** Values of a tensor, where they lie. */
  values(x: TensorInfo): Float32Array | Int32Array {
    const { block, byteOffset, bytes } = this.locate(x);
    const Values = x.dtype === "float32" ? Float32Array : Int32Array;
    return new Values(block.buffer, byteOffset, bytes / 4);
  }

  protected override allocate(bytes: number): ArrayBuffer {
    this.#held += bytes;
    return new ArrayBuffer(bytes);
  }

  protected override free(_buffer: ArrayBuffer, bytes: number): void {
    this.#held -= bytes;
  }

  protected override upload(buffer: ArrayBuffer, byteOffset: number, source: Uint8Array): void {
    new Uint8Array(buffer).set(source, byteOffset);
  }

  protected override async download(buffer: ArrayBuffer, byteOffset: number, bytes: number): Promise<Uint8Array> {
    return this.downloadSync(buffer, byteOffset, bytes);
  }

  protected override downloadSync(buffer: ArrayBuffer, byteOffset: number, bytes: number): Uint8Array {
    return new Uint8Array(buffer.slice(byteOffset, byteOffset + bytes));
  }

  protected override execute(launch: Launch): void {
    launch();
  }

  protected override heldBytes(): number {
    return this.#held;
  }
}
