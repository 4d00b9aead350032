/** What a worker needs to join: sent once, as a message or as workerData. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly stackTop: number;
  readonly thread: number;
}

/** What a worker of the pool does: `serve` returns when the pool stops; a trap stops the pool, so that nobody waits for this thread. */
export const memberSource: string = `
const join = ({ module, memory, stackTop, thread }) => {
  let kernels;
  try {
    kernels = new WebAssembly.Instance(module, { env: { memory, stalled() {} } }).exports;
    kernels.__stack_pointer.value = stackTop;
    port.postMessage("ready");
    kernels.serve(thread);
    port.postMessage("stopped");
  } catch (error) {
    if (kernels) kernels.stop();
    port.postMessage(String(error));
  }
};
`;
