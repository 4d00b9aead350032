import { OutOfMemoryError } from "@statespace/core";
import { StatespaceBackend, type TensorInfo } from "@statespace/core/backend";
import type { Numbers } from "./strided.ts";

/** A launch on the CPU is the loop itself, closed over its arrays. */
export type CpuLaunch = () => void;

/**
 * The reference backend: plain loops over typed arrays, one thread, synchronous reads.
 * It is the oracle that other backends are compared with, so clarity comes before speed.
 */
export class CpuBackend extends StatespaceBackend<ArrayBuffer, CpuLaunch> {
  override readonly readsAtOnce: boolean = true;
  #held = 0;

  constructor() {
    super("cpu");
  }

  /** Float32 values of a tensor, where they lie. */
  floats(x: TensorInfo): Float32Array {
    const { block, byteOffset, bytes } = this.locate(x);
    return new Float32Array(block.buffer, byteOffset, bytes / 4);
  }

  /** Int32 (or bool) values of a tensor, where they lie. */
  ints(x: TensorInfo): Int32Array {
    const { block, byteOffset, bytes } = this.locate(x);
    return new Int32Array(block.buffer, byteOffset, bytes / 4);
  }

  /** Values of a tensor of any dtype, where they lie. */
  numbers(x: TensorInfo): Numbers {
    return x.dtype === "float32" ? this.floats(x) : this.ints(x);
  }

  protected override allocate(bytes: number): ArrayBuffer {
    try {
      const buffer = new ArrayBuffer(bytes);
      this.#held += bytes;
      return buffer;
    } catch (error) {
      throw new OutOfMemoryError(`cpu: no room for ${bytes} bytes`, { cause: error });
    }
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

  protected override execute(launch: CpuLaunch): void {
    launch();
  }

  protected override heldBytes(): number {
    return this.#held;
  }
}
