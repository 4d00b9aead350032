/** A stretch between two looks is sleep if it is longer than this, in seconds, and than so many times the longest one before. */
const SLEEP = 60;
const LONGER = 10;

/**
 * Counts the seconds that a run works, looked at several times a step and at each held-out batch. While a tab is frozen or a laptop's lid
 * is closed the clock goes on and nothing else does: such a stretch counts as the longest one before it.
 */
export class Stopwatch {
  readonly #now: () => number;
  #last: number;
  #longest = 0;
  #counted: number;

  /** @param counted seconds of earlier sittings */
  constructor(counted = 0, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#counted = counted;
    this.#last = now();
  }

  get seconds(): number {
    const now = this.#now();
    const stretch = (now - this.#last) / 1000;
    this.#last = now;
    const slept = this.#longest > 0 && stretch > SLEEP && stretch > LONGER * this.#longest;
    if (!slept) this.#longest = Math.max(this.#longest, stretch);
    this.#counted += slept ? this.#longest : stretch;
    return this.#counted;
  }

  /** The same things, looked at the clock before each. */
  *around<T>(things: Iterable<T>): Generator<T, void, undefined> {
    for (const thing of things) {
      void this.seconds;
      yield thing;
    }
  }
}
