import { ArgumentError, BackendError, DeviceLostError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { constants, kernelNumbers, type KernelNumber } from "../kernels.gen.ts";
import { bestFlavour, compileBinary, type Flavour } from "./binary.ts";
import { unheardLoss, type Executor, type LossListener } from "./executor.ts";
import { Heap } from "./heap.ts";
import { Pool } from "./pool.ts";
import { canShareMemory, mayBlock } from "./startWorker.ts";
import type { WorkerStart } from "./worker.ts";

/** Settings of the backend. */
export interface WasmOptions {
  /** Threads, the caller included. By default the machine's cores, at most 8; 1 where memory cannot be shared. */
  readonly threads?: number;
  /** SIMD flavour; the best this engine validates by default. */
  readonly flavour?: Flavour;
  /** Bytes the memory may grow to; 4 GiB (all that 32-bit addresses reach) by default. */
  readonly maxBytes?: number;
  /** Elementary operations a launch must have before other threads are woken for it; 65,536 by default. */
  readonly parallelWork?: number;
  /** Milliseconds the caller waits for a silent worker before it is taken for dead. */
  readonly workerTimeout?: number;
  /** The memory and all computing in a worker: the calling thread never waits, and reads are asynchronous only. Off by default. */
  readonly worker?: boolean;
  /**
   * Address of this package's `worker.js`, for pages whose Content-Security-Policy allows no workers from `blob:` addresses. By default the
   * workers' program is text in the package.
   */
  readonly workerUrl?: string;
  /** What `compileKernels` gave elsewhere, for places that cannot compile (an audio worklet): of one thread. */
  readonly module?: WebAssembly.Module;
}

const OPTIONS: Readonly<Record<keyof WasmOptions, true>> = {
  threads: true,
  flavour: true,
  maxBytes: true,
  parallelWork: true,
  workerTimeout: true,
  worker: true,
  workerUrl: true,
  module: true,
};

/** @throws ArgumentError for an option that there is not, naming the one that may be meant. */
export function checkWasmOptions(options: WasmOptions): void {
  refuseUnknown("wasmBackend", options, Object.keys(OPTIONS), { numThreads: "threads", maxMemory: "maxBytes" });
  const { module, threads = 1, worker = false } = options;
  if (module !== undefined && (threads !== 1 || worker))
    throw new ArgumentError("wasmBackend: a module is of one thread, and not for a worker");
}

interface Exports {
  readonly __heap_base: WebAssembly.Global;
  readonly __stack_pointer: WebAssembly.Global;
  setup(scratch: number, mayBlock: number): void;
  runAlone(list: number, count: number): void;
  runTogether(list: number, count: number, threads: number): number;
  stop(): void;
}

const STACK_BYTES = 1 << 16;
const FULL = 65536 * 65536;
/** Words of an eager launch's command and arguments. */
export const ARGUMENT_WORDS = 256;

function defaultThreads(): number {
  const cores = (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1;
  return Math.min(8, cores);
}

/** Options with every default filled in. */
interface Settled {
  readonly flavour: Flavour;
  readonly threads: number;
  readonly limit: number;
  readonly patience: number;
}

/** @throws BackendError for options that the machine cannot meet. */
export function settle(options: WasmOptions, share: boolean): Settled {
  const threads = options.threads ?? (share ? defaultThreads() : 1);
  if (!Number.isInteger(threads) || threads < 1)
    throw new BackendError(`wasm: threads must be a positive integer, got ${threads}`);
  if (threads > 1 && !share) {
    throw new BackendError(
      "wasm: threads need memory that workers can share: serve the page with COOP same-origin and COEP require-corp, or ask for threads: 1",
    );
  }
  const { flavour = bestFlavour(), maxBytes = FULL, workerTimeout = 10_000 } = options;
  return { flavour, threads, limit: Math.min(FULL, maxBytes), patience: workerTimeout };
}

export function newMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 64, maximum: 65536, shared });
}

/** What the workers beside the first thread start from. */
export function workerStarts(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  heap: Heap,
  threads: number,
): WorkerStart[] {
  return Array.from({ length: threads - 1 }, (_, i) => ({
    module,
    memory,
    stackTop: heap.allocate(STACK_BYTES) + STACK_BYTES,
    thread: i + 1,
  }));
}

/** One running set of instances: memory, allocator, pool, and the calls that run commands. */
export class Machine implements Executor {
  readonly flavour: Flavour;
  readonly threads: number;
  readonly heap: Heap;
  readonly pool: Pool = new Pool();
  onLost: LossListener = unheardLoss;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #stackTop: number;
  readonly #eager: number;
  #words: Int32Array;

  private constructor(
    flavour: Flavour,
    threads: number,
    memory: WebAssembly.Memory,
    instance: WebAssembly.Instance,
    limit: number,
  ) {
    this.flavour = flavour;
    this.threads = threads;
    this.#memory = memory;
    this.#exports = instance.exports as unknown as Exports;
    this.heap = new Heap(memory, this.#exports.__heap_base.value as number, limit);
    this.#stackTop = this.#exports.__stack_pointer.value as number;
    this.#eager = this.heap.allocate(4 * ARGUMENT_WORDS);
    this.#words = new Int32Array(memory.buffer);
    this.pool.onLost = (reason) => void this.onLost(reason);
  }

  /**
   * Where nobody asked for a number of threads and workers do not start (a page's policy may forbid them), it goes on with one, and says so.
   * @throws BackendError for settings the machine cannot meet.
   */
  static async start(options: WasmOptions): Promise<Machine> {
    const { module } = options;
    const settled = settle(options, module === undefined && canShareMemory());
    try {
      return await Machine.#open(settled, options.workerUrl, module);
    } catch (error) {
      if (options.threads !== undefined || settled.threads === 1 || !(error instanceof BackendError)) throw error;
      console.warn(`${error.message}. Going on with one thread`);
      return Machine.#open({ ...settled, threads: 1 }, options.workerUrl);
    }
  }

  static async #open(
    { flavour, threads, limit, patience }: Settled,
    workerUrl: string | undefined,
    compiled?: WebAssembly.Module,
  ): Promise<Machine> {
    const shared = threads > 1;
    const module = compiled ?? (await compileBinary(flavour, shared));
    const memory = newMemory(shared);
    let waitingSince = 0;
    const stalled = (times: number): void => {
      const now = Date.now();
      if (times === 1) waitingSince = now;
      if (now - waitingSince > patience) throw new DeviceLostError(`a worker has been silent for ${patience} ms`);
    };
    const instance = await WebAssembly.instantiate(module, { env: { memory, stalled } });
    const machine = new Machine(flavour, threads, memory, instance, limit);
    const scratch = machine.heap.allocate(threads * constants.SCRATCH_BYTES);
    machine.#exports.setup(scratch, mayBlock() ? 1 : 0);
    try {
      await machine.pool.start(workerStarts(module, memory, machine.heap, threads), workerUrl);
    } catch (error) {
      machine.close();
      throw error;
    }
    return machine;
  }

  /** Memory as 32-bit words; a new view after growth. */
  get #view(): Int32Array {
    if (this.#words.byteLength !== this.#memory.buffer.byteLength) this.#words = new Int32Array(this.#memory.buffer);
    return this.#words;
  }

  write(at: number, source: Uint8Array): void {
    new Uint8Array(this.#memory.buffer).set(source, at);
  }

  readNow(at: number, bytes: number): Uint8Array {
    // slice() of a view on shared memory would be shared again: copy into a buffer of its own.
    return new Uint8Array(new Uint8Array(this.#memory.buffer, at, bytes));
  }

  async read(at: number, bytes: number): Promise<Uint8Array> {
    return this.readNow(at, bytes);
  }

  /** Runs one kernel now. `parallel`: on all threads; otherwise on the caller alone, without waking anybody. */
  run(kernel: KernelNumber, args: ArrayLike<number>, parallel: boolean): void {
    const at = this.#eager >> 2;
    const words = this.#view;
    words[at] = kernelNumbers[kernel];
    words[at + 1] = parallel ? 0 : 1;
    words[at + 2] = this.#eager + 16;
    for (let i = 0; i < args.length; i++) words[at + 4 + i] = args[i]!;
    this.runList(this.#eager, 1, parallel);
  }

  /** Runs a list of commands that lies in memory. @throws DeviceLostError once a worker is gone. */
  runList(list: number, count: number, parallel: boolean): void {
    const { lost } = this.pool;
    if (lost !== undefined) throw this.onLost(lost);
    try {
      if (!parallel || this.threads === 1) {
        this.#exports.runAlone(list, count);
        return;
      }
      if (this.#exports.runTogether(list, count, this.threads) === 0) return;
    } catch (error) {
      // The trap left frames behind and workers at a barrier: nothing of this pool can be trusted.
      this.#exports.__stack_pointer.value = this.#stackTop;
      if (this.threads > 1) this.#exports.stop();
      const silent = error instanceof DeviceLostError;
      this.pool.lose(silent ? error.message : String(error));
      throw silent
        ? this.onLost(error.message)
        : new BackendError(`wasm: a kernel failed: ${String(error)}`, { cause: error });
    }
    const reason = "a worker failed inside a kernel";
    this.pool.lose(reason);
    throw this.onLost(reason);
  }

  close(): void {
    if (this.threads > 1) this.#exports.stop();
    this.pool.close();
  }
}
