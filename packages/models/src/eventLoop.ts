/** Longest stretch without letting other events through, in milliseconds: the time of a frame, less what may come on top. */
const FRAME = 12;

/** Ends the running task and goes on in a later one, behind clicks, timers and signals that wait. */
export function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };
  if (setImmediate !== undefined) return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    // Not a timer: browsers let those of a loop wait 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (): void => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/**
 * Lets other events through between tokens: after each where a token takes a frame or longer, else once a frame.
 * On backends that compute in the caller's thread nothing else would: their promises are kept before anybody waits.
 */
export class FrameKeeper {
  #task: number = performance.now();
  #last: number = this.#task;

  /** Called between two tokens. */
  async breathe(): Promise<void> {
    const now = performance.now();
    const next = now + (now - this.#last); // when another token like the last would be done
    this.#last = now;
    if (next - this.#task < FRAME) return;
    await nextTask();
    this.#task = this.#last = performance.now();
  }
}
