import { ArgumentError, type PackedFormat } from "@statespace/core";
import {
  packBytes,
  StatespaceBackend,
  type PackedRows,
  type PlacedBytes,
  type TensorInfo,
} from "@statespace/core/backend";
import { constants, kernelNumbers, type KernelNumber, type Launcher } from "./kernels.gen.ts";
import { GROUP_ROWS, groupedBytes, layoutGroups, unlayoutGroups } from "./ops/linear/packed.ts";
import type { Executor } from "./runtime/executor.ts";
import { checkWasmOptions, Machine, type WasmOptions } from "./runtime/machine.ts";
import { RemoteMachine } from "./runtime/remote.ts";

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
export class WasmBackend extends StatespaceBackend<number, WasmLaunch> implements Launcher {
  readonly machine: Executor;
  override readonly readsAtOnce: boolean;
  override readonly rowsAlike: number = constants.BY_ROWS_M;
  override readonly roundedGradients: readonly PackedFormat[] = ["q8", "q4"];

  readonly #parallelWork: number;

  private constructor(machine: Executor, parallelWork: number) {
    super("wasm");
    this.machine = machine;
    machine.onLost = (reason) => this.lose(reason);
    this.readsAtOnce = machine.readNow !== undefined;
    this.#parallelWork = parallelWork;
  }

  /** @throws BackendError where the engine lacks SIMD, or threads are asked for and memory cannot be shared. */
  static async start(options: WasmOptions = {}): Promise<WasmBackend> {
    checkWasmOptions(options);
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

  /** Queues a kernel with the words its declaration asks for: what the callers of `kernels.gen.ts` do. */
  call(kernel: KernelNumber, args: readonly number[], work: number): void {
    this.launch({ kernel, args, parallel: this.threads > 1 && work >= this.#parallelWork });
  }

  /** @throws ArgumentError when a kernel would need more floats than a thread's scratch has. */
  requireScratch(kernel: string, floats: number): void {
    const most = constants.SCRATCH_BYTES / 4;
    if (floats > most)
      throw new ArgumentError(`${kernel}: the wasm kernel sums rows of up to ${most} floats, got ${floats}`);
  }

  /** Runs a function with temporary memory: so many floats a name. While capturing, the graph keeps it. */
  withSpace<Name extends string>(
    floats: Readonly<Record<Name, number>>,
    use: (space: Readonly<Record<Name, TensorInfo>>) => void,
  ): void {
    const space: Partial<Record<Name, TensorInfo>> = {};
    try {
      for (const name in floats) space[name] = this.output([Math.max(1, floats[name])]);
      use(space as Record<Name, TensorInfo>);
    } finally {
      for (const name in space) this.disposeData(space[name]!.dataId);
    }
  }

  /** Address of a weight that may be packed. */
  atPacked(x: TensorInfo): number {
    const { block, byteOffset } = this.locatePacked(x);
    return block.buffer + byteOffset;
  }

  override readonly packedRows: number = GROUP_ROWS;

  protected override packedBytes(shape: readonly number[], format: PackedFormat): number {
    return groupedBytes(shape, format);
  }

  /** Memory in which rows are arranged before they are copied over. */
  #arranged: Uint8Array = new Uint8Array(0);

  protected override *layoutPacked(canonical: Uint8Array, rows: PackedRows): Generator<PlacedBytes, void, undefined> {
    const { format, shape, row } = rows;
    const k = shape.at(-1)!;
    if (format === "f16" || format === "bf16") {
      yield [2 * k * row, canonical];
      return;
    }
    const part = [canonical.byteLength / packBytes([k], format), k];
    const bytes = groupedBytes(part, format);
    if (this.#arranged.byteLength < bytes) this.#arranged = new Uint8Array(bytes);
    const arranged = this.#arranged.subarray(0, bytes);
    layoutGroups(canonical, part, format, arranged);
    yield [groupedBytes([row, k], format), arranged];
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

  override async finish(): Promise<void> {
    // Commands are done in order; only a worker's are not done yet.
    if (this.machine.readNow === undefined) await this.machine.read(0, 4);
  }

  protected override heldBytes(): number {
    return this.machine.heap.held;
  }

  override dispose(): void {
    this.machine.close();
  }
}
