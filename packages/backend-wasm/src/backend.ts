import { ArgumentError, StatespaceBackend, type PackedFormat, type TensorInfo } from "@statespace/core";
import { kernelNumbers, type KernelNumber } from "./binaries.gen.ts";
import { layoutGroups, unlayoutGroups } from "./ops/linear/packed.ts";
import type { Executor } from "./runtime/executor.ts";
import { Machine, SCRATCH_BYTES, type WasmOptions } from "./runtime/machine.ts";
import { RemoteMachine } from "./runtime/remote.ts";

const scratchFloat = new Float32Array(1);
const scratchWord = new Int32Array(scratchFloat.buffer);

/** A float as the argument word a kernel reads it from. */
export function floatWord(value: number): number {
  scratchFloat[0] = value;
  return scratchWord[0]!;
}

/** A kernel call: its number, argument words, and whether it is worth more than one thread. */
export interface WasmLaunch {
  readonly kernel: KernelNumber;
  readonly args: readonly number[];
  readonly parallel: boolean;
}

/** Work, in elementary operations, below which waking a thread costs more than it saves (a sleeping one takes tens of microseconds). */
const PARALLEL_WORK = 1 << 16;

/**
 * SIMD kernels on one WebAssembly memory, with a pool of threads where memory can be shared. Made by `WasmBackend.start`.
 * With `worker: true` kernels enqueue, only `read` waits, and always asynchronously.
 */
export class WasmBackend extends StatespaceBackend<number, WasmLaunch> {
  readonly machine: Executor;

  readonly #parallelWork: number;

  private constructor(machine: Executor, parallelWork: number) {
    super("wasm");
    this.machine = machine;
    this.#parallelWork = parallelWork;
  }

  /** @throws BackendError where the engine lacks SIMD, or threads are asked for and memory cannot be shared. */
  static async start(options: WasmOptions = {}): Promise<WasmBackend> {
    return new WasmBackend(
      await (options.worker ? RemoteMachine : Machine).start(options),
      options.parallelWork ?? PARALLEL_WORK,
    );
  }

  get threads(): number {
    return this.machine.threads;
  }

  /** Address of a tensor's values. */
  at(x: TensorInfo): number {
    const { block, byteOffset } = this.locate(x);
    return block.buffer + byteOffset;
  }

  /** Address of an optional tensor, 0 where it is absent. */
  maybeAt(x: TensorInfo | undefined): number {
    return x ? this.at(x) : 0;
  }

  /** Queues a kernel; `work` (elementary operations) decides whether all threads take part. */
  call(kernel: KernelNumber, args: readonly number[], work: number): void {
    this.launch({ kernel, args, parallel: this.threads > 1 && work >= this.#parallelWork });
  }

  /** @throws ArgumentError when a kernel would need more floats than a thread's scratch has. */
  requireScratch(kernel: string, floats: number): void {
    if (4 * floats > SCRATCH_BYTES)
      throw new ArgumentError(
        `${kernel}: the wasm kernel sums rows of up to ${SCRATCH_BYTES / 4} floats, got ${floats}`,
      );
  }

  /** Runs a function with the address of `floats` of temporary memory. While capturing, the graph keeps it. */
  withWorkspace(floats: number, use: (address: number) => void): void {
    const workspace = this.output([Math.max(1, floats)]);
    try {
      use(this.at(workspace));
    } finally {
      this.disposeData(workspace.dataId);
    }
  }

  /** Address of a weight that may be packed. */
  atPacked(x: TensorInfo): number {
    const { block, byteOffset } = this.locatePacked(x);
    return block.buffer + byteOffset;
  }

  protected override layoutPacked(canonical: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
    return layoutGroups(canonical, shape, format);
  }

  protected override unlayoutPacked(bytes: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
    return unlayoutGroups(bytes, shape, format);
  }

  protected override allocate(bytes: number): number {
    return this.machine.heap.allocate(bytes);
  }

  protected override free(buffer: number, bytes: number): void {
    this.machine.heap.free(buffer, bytes);
  }

  protected override upload(buffer: number, byteOffset: number, source: Uint8Array): void {
    this.machine.write(buffer + byteOffset, source);
  }

  protected override download(buffer: number, byteOffset: number, bytes: number): Promise<Uint8Array> {
    return this.machine.read(buffer + byteOffset, bytes);
  }

  protected override downloadSync(buffer: number, byteOffset: number, bytes: number): Uint8Array {
    return this.machine.readNow?.(buffer + byteOffset, bytes) ?? super.downloadSync(buffer, byteOffset, bytes);
  }

  protected override execute({ kernel, args, parallel }: WasmLaunch): void {
    this.machine.run(kernel, args, parallel);
  }

  /** A whole graph as one list in memory: a replay is one call, its barriers inside. */
  protected override compile(launches: readonly WasmLaunch[]): { replay(): void; dispose(): void } {
    const { machine } = this;
    const header = 3 * launches.length;
    const words = new Int32Array(
      Math.max(
        1,
        launches.reduce((size, { args }) => size + args.length, header),
      ),
    );
    const bytes = words.byteLength;
    const list = machine.heap.allocate(bytes);
    let at = header;
    launches.forEach(({ kernel, args, parallel }, i) => {
      words.set([kernelNumbers[kernel], parallel ? 0 : 1, list + 4 * at], 3 * i);
      words.set(args, at);
      at += args.length;
    });
    machine.write(list, new Uint8Array(words.buffer));
    const anyParallel = launches.some(({ parallel }) => parallel);
    return {
      replay: (): void => machine.runList(list, launches.length, anyParallel),
      dispose: (): void => machine.heap.free(list, bytes),
    };
  }

  protected override heldBytes(): number {
    return this.machine.heap.held;
  }

  override dispose(): void {
    this.machine.close();
  }
}
