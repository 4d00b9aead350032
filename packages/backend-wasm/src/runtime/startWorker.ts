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
  return (
    typeof Worker !== "undefined" && (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true
  );
}

/** Starts a worker from the text of its program, so that no bundler has to find a file. It takes `start` as workerData or as its first message. */
export function startWorker(source: string, start: object, listener: Listener): WorkerHandle {
  const threads = nodeThreads();
  if (threads) {
    const worker = new threads.Worker(source, { eval: true, workerData: start });
    worker.on("message", (data) => listener.message(data));
    worker.on("error", (error) => listener.failed(String(error)));
    worker.on("exit", (code) => listener.failed(`exited with code ${String(code)}`));
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      hold: (alive) => (alive ? worker.ref() : worker.unref()),
      terminate: () => void worker.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = (event: MessageEvent<unknown>): void => listener.message(event.data);
  worker.onerror = (event): void => listener.failed(event.message);
  worker.postMessage(start);
  URL.revokeObjectURL(url);
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold: () => {},
    terminate: () => worker.terminate(),
  };
}
