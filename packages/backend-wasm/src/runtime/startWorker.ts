import { workerProgram } from "./workerProgram.ts";

/** Node's workers and the web's behind one face. */
export interface WorkerHandle {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  /** Whether the worker keeps the process alive; a page lives by itself. */
  hold(alive: boolean): void;
  terminate(): void;
}

export interface Listener {
  message(data: unknown): void;
  failed(reason: string): void;
}

interface NodeWorker {
  on(event: string, listener: (value: unknown) => void): void;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}
interface NodeThreads {
  Worker: new (program: string | URL, options: object) => NodeWorker;
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
  return (
    typeof Worker !== "undefined" && (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true
  );
}

/** What a page's policy has to allow, told where a worker does not even say why it did not start. */
const POLICY =
  "a page whose Content-Security-Policy has no worker-src blob: serves @statespace/backend-wasm/worker.js itself and gives its address as workerUrl";

/**
 * Starts a worker, from the text of its program unless told where that lies as a file. It takes `start` as workerData or as its first message.
 * What keeps it from starting is told to the listener, also where the constructor throws.
 */
export function startWorker(start: object, listener: Listener, workerUrl?: string): WorkerHandle {
  const threads = nodeThreads();
  try {
    return threads ? startNodeWorker(threads, start, listener, workerUrl) : startWebWorker(start, listener, workerUrl);
  } catch (error) {
    const reason = String(error);
    // After the caller has what it waits with.
    queueMicrotask(() => listener.failed(workerUrl === undefined && !threads ? `${reason}; ${POLICY}` : reason));
    return { post: () => {}, hold: () => {}, terminate: () => {} };
  }
}

function startNodeWorker(
  { Worker }: NodeThreads,
  start: object,
  listener: Listener,
  workerUrl: string | undefined,
): WorkerHandle {
  const worker =
    workerUrl === undefined
      ? new Worker(workerProgram, { eval: true, workerData: start })
      : new Worker(new URL(workerUrl), { workerData: start });
  worker.on("message", (data) => listener.message(data));
  worker.on("error", (error) => listener.failed(String(error)));
  worker.on("exit", (code) => listener.failed(`exited with code ${String(code)}`));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: (alive) => (alive ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

function startWebWorker(start: object, listener: Listener, workerUrl: string | undefined): WorkerHandle {
  const url = workerUrl ?? URL.createObjectURL(new Blob([workerProgram], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = (event: MessageEvent<unknown>): void => listener.message(event.data);
  // A worker that was not allowed to load has an error without a message.
  const silent = workerUrl === undefined ? POLICY : `nothing that runs could be loaded from ${workerUrl}`;
  worker.onerror = (event): void => listener.failed(event.message || silent);
  worker.postMessage(start);
  if (workerUrl === undefined) URL.revokeObjectURL(url);
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: () => {},
    terminate: () => worker.terminate(),
  };
}
