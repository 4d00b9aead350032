import { BackendError } from "@statespace/core";
import { constants, kernelNumbers, type KernelNumber } from "../kernels.gen.ts";
import { compileBinary, type Flavour } from "./binary.ts";
import { COMMANDS, type Answer, type Batch, type DriverStart } from "./driver.ts";
import { unheardLoss, type Executor, type LossListener } from "./executor.ts";
import { Heap, type Growable } from "./heap.ts";
import { ARGUMENT_WORDS, newMemory, settle, workerStarts, type WasmOptions } from "./machine.ts";
import { Pool } from "./pool.ts";
import { canShareMemory, startWorker, type WorkerHandle } from "./startWorker.ts";

/** Words after which a batch goes off in the middle of a turn, so that the worker computes while the caller still enqueues. */
const BATCH_WORDS = 2048;

interface Read {
  resolve(bytes: Uint8Array): void;
  reject(fault: BackendError): void;
}

/** A memory in the worker, whose growth is a command like any other. */
class RemoteMemory implements Growable {
  readonly buffer: { byteLength: number } = { byteLength: 64 * 65536 };
  readonly #order: (pages: number) => void;

  constructor(order: (pages: number) => void) {
    this.#order = order;
  }

  grow(pages: number): void {
    this.buffer.byteLength += pages * 65536;
    this.#order(pages);
  }
}

/**
 * A worker that owns the memory (or shares it) and is the pool's first thread; the caller gives out addresses, sends batches of
 * commands, and never waits. What goes wrong over there rejects the reads in flight and is thrown by every call after.
 */
export class RemoteMachine implements Executor {
  readonly flavour: Flavour;
  readonly threads: number;
  readonly pool: Pool = new Pool();
  onLost: LossListener = unheardLoss;
  readonly #driver: WorkerHandle;
  readonly #reads: Map<number, Read> = new Map();
  #heap: Heap | undefined;
  #nextRead = 0;
  #words: number[] = [];
  #uploads: Uint8Array[] = [];
  #scheduled = false;
  #fault: BackendError | undefined;
  #over = false;
  #started: { resolve(heapBase: number): void; reject(fault: BackendError): void } | undefined;

  private constructor(flavour: Flavour, start: DriverStart, workerUrl: string | undefined) {
    this.flavour = flavour;
    this.threads = start.threads;
    this.#driver = startWorker(
      start,
      {
        message: (answer) => this.#hear(answer as Answer),
        failed: (reason) => this.#fail(reason),
      },
      workerUrl,
    );
    this.pool.onLost = (reason) => this.#lose(reason);
  }

  /** @throws BackendError for settings the machine cannot meet, or a worker that does not start. */
  static async start(options: WasmOptions): Promise<RemoteMachine> {
    const share = canShareMemory();
    const { flavour, threads, limit, patience } = settle(options, share);
    const module = await compileBinary(flavour, share);
    // Shared memory grows on this thread, so that running out of it is known at the allocation.
    const memory = share ? newMemory(true) : undefined;
    const machine = new RemoteMachine(flavour, { module, memory, threads, patience }, options.workerUrl);
    const base = await new Promise<number>((resolve, reject) => (machine.#started = { resolve, reject }));
    machine.#driver.hold(false);
    const heap = new Heap(memory ?? new RemoteMemory((pages) => machine.#send(COMMANDS.grow, pages)), base, limit);
    machine.#heap = heap;
    machine.#send(COMMANDS.setup, heap.allocate(threads * constants.SCRATCH_BYTES), heap.allocate(4 * ARGUMENT_WORDS));
    try {
      if (memory) await machine.pool.start(workerStarts(module, memory, heap, threads), options.workerUrl);
    } catch (error) {
      machine.close();
      throw error;
    }
    return machine;
  }

  get heap(): Heap {
    return this.#heap!;
  }

  run(kernel: KernelNumber, args: readonly number[], parallel: boolean): void {
    this.#send(COMMANDS.run, kernelNumbers[kernel], parallel ? 1 : 0, args.length, ...args);
  }

  runList(list: number, count: number, parallel: boolean): void {
    this.#send(COMMANDS.runList, list, count, parallel && this.threads > 1 ? 1 : 0);
  }

  write(at: number, source: Uint8Array): void {
    this.#uploads.push(source.slice());
    this.#send(COMMANDS.write, at);
  }

  async read(at: number, bytes: number): Promise<Uint8Array> {
    const id = this.#nextRead++;
    this.#send(COMMANDS.read, id, at, bytes);
    this.#driver.hold(true);
    const answer = new Promise<Uint8Array>((resolve, reject) => this.#reads.set(id, { resolve, reject }));
    this.#flush();
    return answer;
  }

  close(): void {
    this.#lose("the backend was stopped");
  }

  /** Ends the worker from outside: how tests make it die. */
  terminate(): void {
    this.#driver.terminate();
  }

  #send(...words: readonly number[]): void {
    if (this.#fault) throw this.#fault;
    this.#words.push(...words);
    if (this.#words.length >= BATCH_WORDS) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#words.length === 0) return;
    const batch: Batch = { words: Int32Array.from(this.#words), uploads: this.#uploads };
    this.#words = [];
    this.#uploads = [];
    this.#driver.post(
      batch,
      [batch.words, ...batch.uploads].map(({ buffer }) => buffer as ArrayBuffer),
    );
  }

  #hear(answer: Answer): void {
    if ("failed" in answer) {
      const { failed, reason } = answer;
      this.#lose(reason, failed === "BackendError" ? new BackendError(`wasm: ${reason}`) : undefined);
    } else if ("heapBase" in answer) {
      this.#started?.resolve(answer.heapBase);
    } else {
      this.#reads.get(answer.id)?.resolve(answer.bytes);
      this.#reads.delete(answer.id);
      if (this.#reads.size === 0) this.#driver.hold(false);
    }
  }

  /** The worker ended, or never began. */
  #fail(reason: string): void {
    if (this.#heap !== undefined) this.#lose(`its worker is gone: ${reason}`);
    else this.#lose(reason, new BackendError(`wasm: the worker did not start: ${reason}`));
  }

  /**
   * Ends everything; the first reason stays.
   * @param inFlight what the reads in flight are told, where they failed of something else than the loss that it led to
   */
  #lose(reason: string, inFlight?: BackendError): void {
    if (this.#over) return;
    this.#over = true;
    this.#driver.terminate();
    this.pool.close();
    this.#words = [];
    this.#uploads = [];
    this.#fault = this.onLost(reason);
    const fault = inFlight ?? this.#fault;
    this.#started?.reject(fault);
    for (const { reject } of this.#reads.values()) reject(fault);
    this.#reads.clear();
  }
}
