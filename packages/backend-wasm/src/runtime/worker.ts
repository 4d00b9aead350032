/** What a worker needs to join: sent once, as a message or as workerData. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly stackTop: number;
  readonly thread: number;
}

/**
 * The worker's whole program, as text so that no bundler has to find a file. It runs as a Node worker (eval) and as a
 * classic web worker (blob). `serve` returns when the pool stops; a trap stops the pool, so that nobody waits for this thread.
 */
export const workerSource: string = `
const node = typeof process === "object" && process.getBuiltinModule ? process.getBuiltinModule("node:worker_threads") : undefined;
const post = (message) => (node ? node.parentPort : self).postMessage(message);
const start = ({ module, memory, stackTop, thread }) => {
  let exports;
  try {
    exports = new WebAssembly.Instance(module, { env: { memory, stalled() {} } }).exports;
    exports.__stack_pointer.value = stackTop;
    post("ready");
    exports.serve(thread);
    post("stopped");
  } catch (error) {
    if (exports) exports.stop();
    post(String(error));
  }
};
if (node) start(node.workerData);
else self.onmessage = (event) => start(event.data);
`;
