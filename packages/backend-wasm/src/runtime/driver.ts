/** What the driver needs to start. `memory` is absent where it cannot be shared: the driver then makes its own. */
export interface DriverStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory | undefined;
  readonly threads: number;
  /** Milliseconds a silent worker of the pool is waited for. */
  readonly patience: number;
}

/** Commands of a batch: the number, then its words. A write takes the next of the batch's uploads. */
export const COMMANDS = {
  /** scratch, eager */
  setup: 0,
  /** kernel, parallel, words, ...words */
  run: 1,
  /** list, count, parallel */
  runList: 2,
  /** at */
  write: 3,
  /** id, at, bytes */
  read: 4,
  /** pages */
  grow: 5,
} as const;

export interface Batch {
  readonly words: Int32Array;
  readonly uploads: readonly Uint8Array[];
}

/** What the driver answers: its first free address, the bytes of a read, or why it stopped. */
export type Answer =
  | { readonly heapBase: number }
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly failed: "BackendError" | "DeviceLostError"; readonly reason: string };

/**
 * What a worker does that runs a backend's commands as the first thread of its pool: `lead` starts it, `obey` takes a batch. After a failure it does nothing more, and its owner ends it:
 * the trap may have left workers at a barrier.
 */
export const driverSource: string = `
let memory, kernels, threads, eager, words;
const view = (end) => {
  if (words.byteLength < end) {
    memory.grow(0); // another thread may have grown it: a fresh buffer
    words = new Int32Array(memory.buffer);
  }
  return words;
};
const lost = (reason) => Object.assign(new Error(reason), { lost: true });
const runList = (list, count, parallel) => {
  if (!parallel) kernels.runAlone(list, count);
  else if (kernels.runTogether(list, count, threads)) throw lost("a worker failed inside a kernel");
};
const lead = ({ module, memory: shared, threads: count, patience }) => {
  memory = shared || new WebAssembly.Memory({ initial: 64, maximum: 65536 });
  threads = count;
  let since = 0;
  const stalled = (times) => {
    if (times === 1) since = Date.now();
    if (Date.now() - since > patience) throw lost("a worker has been silent for " + patience + " ms");
  };
  kernels = new WebAssembly.Instance(module, { env: { memory, stalled } }).exports;
  words = new Int32Array(memory.buffer);
  port.postMessage({ heapBase: kernels.__heap_base.value });
};
const perform = (batch, uploads) => {
  let upload = 0;
  for (let i = 0; i < batch.length; ) {
    const op = batch[i++], a = batch[i++] >>> 0;
    if (op === 0) {
      kernels.setup(a, 1);
      eager = batch[i++];
    } else if (op === 1) {
      const parallel = batch[i++], count = batch[i++], at = eager >> 2;
      const list = view(eager + 16 + 4 * count);
      list[at] = a;
      list[at + 1] = parallel ? 0 : 1;
      list[at + 2] = eager + 16;
      list.set(batch.subarray(i, i + count), at + 4);
      i += count;
      runList(eager, 1, parallel);
    } else if (op === 2) runList(a, batch[i++], batch[i++]);
    else if (op === 3) {
      const source = uploads[upload++];
      new Uint8Array(view(a + source.length).buffer).set(source, a);
    } else if (op === 4) {
      const at = batch[i++] >>> 0, bytes = batch[i++] >>> 0;
      const copy = new Uint8Array(new Uint8Array(view(at + bytes).buffer, at, bytes));
      port.postMessage({ id: a, bytes: copy }, [copy.buffer]);
    } else {
      try {
        memory.grow(a);
      } catch {
        throw lost("the engine refused to grow memory beyond " + memory.buffer.byteLength + " bytes");
      }
      view(memory.buffer.byteLength);
    }
  }
};
const obey = (data) => {
  if (kernels === undefined) return;
  try {
    perform(data.words, data.uploads);
  } catch (error) {
    kernels = undefined;
    port.postMessage(error.lost ? { failed: "DeviceLostError", reason: error.message } : { failed: "BackendError", reason: "a kernel failed: " + error });
  }
};
`;
