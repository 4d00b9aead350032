import { BackendError } from "@statespace/core";
import { workerSource, type WorkerStart } from "./worker.ts";

/** The two kinds of worker behind one face. */
interface WorkerHandle {
  terminate(): void;
}

interface Listener {
  message(text: string): void;
  failed(reason: string): void;
}

interface NodeWorker {
  on(event: string, listener: (value: unknown) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}
interface NodeThreads {
  Worker: new (source: string, options: object) => NodeWorker;
}

function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
}

/** True where waiting in Atomics.wait is allowed: everywhere but on a browser's main thread. */
export function mayBlock(): boolean {
  return nodeThreads() !== undefined || typeof document === "undefined";
}

/** True where memory can be shared with workers. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if (nodeThreads()) return true;
  return typeof Worker !== "undefined" && (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
}

function startWorker(start: WorkerStart, listener: Listener): WorkerHandle {
  const threads = nodeThreads();
  if (threads) {
    const worker = new threads.Worker(workerSource, { eval: true, workerData: start });
    worker.on("message", (text) => {
      worker.unref(); // a pool that idles must not keep the process alive; one that starts must
      listener.message(String(text));
    });
    worker.on("error", (error) => listener.failed(String(error)));
    worker.on("exit", (code) => listener.failed(`exited with code ${String(code)}`));
    return { terminate: () => void worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = (event: MessageEvent<string>): void => listener.message(event.data);
  worker.onerror = (event): void => listener.failed(event.message);
  worker.postMessage(start);
  URL.revokeObjectURL(url);
  return worker;
}

/** Workers that stay in the kernel's `serve` loop. `lost` tells why the pool can no longer be used, once it cannot. */
export class Pool {
  readonly #workers: WorkerHandle[] = [];
  #lost: string | undefined;
  #closed = false;

  get lost(): string | undefined {
    return this.#lost;
  }

  /** Records why the pool is dead; the first reason stays. */
  lose(reason: string): void {
    if (!this.#closed) this.#lost ??= reason;
  }

  /** Starts one worker a description and waits until all serve. @throws BackendError when one does not start. */
  async start(descriptions: readonly WorkerStart[]): Promise<void> {
    await Promise.all(
      descriptions.map(
        (description) =>
          new Promise<void>((resolve, reject) => {
            const failed = (reason: string): void => {
              this.lose(`worker ${description.thread}: ${reason}`);
              reject(new BackendError(`wasm: worker ${description.thread} did not start: ${reason}`));
            };
            const message = (text: string): void => (text === "ready" ? resolve() : failed(text));
            this.#workers.push(startWorker(description, { message, failed }));
          }),
      ),
    );
  }

  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }

  /** Ends one worker from outside: how tests make a worker die. */
  terminate(index: number): void {
    this.#workers[index]!.terminate();
  }
}
