/** Longest stretch without letting events through, in milliseconds: an abort, a click, a signal. */
const STRETCH = 50;

/** Lets the event loop run now and then within work that otherwise only awaits finished promises. */
export class Breather {
  #last: number = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#last < STRETCH) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#last = performance.now();
  }
}
