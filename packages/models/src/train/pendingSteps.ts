import { NonFiniteError, readFloats, type Tensor } from "@statespace/core";
import type { StepEvent } from "./events.ts";

/**
 * Steps whose loss is left on the device while the next ones are enqueued, so that reading it back stalls nobody: on a GPU the
 * processor prepares a step while the device computes the one before.
 */
const STEPS_IN_FLIGHT = 2;

/** Seconds over which a rate is measured, at least. */
const SHORTEST_STRETCH = 0.5;

interface Pending {
  readonly measures: Tensor; // [2]
  readonly step: number;
  readonly tokens: number;
  readonly learningRate: number;
}

/** Reads the losses of steps a little after they were taken, and stops at the first that is not finite. */
export class PendingSteps {
  readonly #queue: Pending[] = [];
  readonly #seconds: () => number;
  #last: { seconds: number; tokens: number };
  #rate = 0;

  /** @param seconds time spent training so far. */
  constructor(seconds: () => number, tokens: number) {
    this.#seconds = seconds;
    this.#last = { seconds: seconds(), tokens };
  }

  add(pending: Pending): void {
    this.#queue.push(pending);
  }

  /** Events of the steps beyond those in flight, or of all. @throws NonFiniteError at a loss or norm that is not finite. */
  async *settle(secondsLeft: (step: number) => number, all = false): AsyncGenerator<StepEvent> {
    while (this.#queue.length > (all ? 0 : STEPS_IN_FLIGHT)) {
      const { measures, step, tokens, learningRate } = this.#queue.shift()!;
      const [loss, gradNorm] = (await readFloats(measures)) as unknown as [number, number];
      measures.dispose();
      if (!Number.isFinite(loss)) throw new NonFiniteError(`train: the loss of step ${step} is ${loss}`);
      if (!Number.isFinite(gradNorm))
        throw new NonFiniteError(`train: the gradient norm of step ${step} is ${gradNorm}`);
      const seconds = this.#seconds();
      this.#measure(seconds, tokens);
      yield {
        kind: "step",
        step,
        loss,
        gradNorm,
        learningRate,
        tokens,
        seconds,
        tokensPerSecond: this.#rate,
        secondsLeft: secondsLeft(step),
      };
    }
  }

  /** A smoothed rate. Steps may be read in bursts, so short stretches say nothing. */
  #measure(seconds: number, tokens: number): void {
    const elapsed = seconds - this.#last.seconds;
    if (elapsed < SHORTEST_STRETCH && this.#rate > 0) return;
    const rate = (tokens - this.#last.tokens) / elapsed;
    this.#rate = this.#rate === 0 ? rate : 0.8 * this.#rate + 0.2 * rate;
    this.#last = { seconds, tokens };
  }

  dispose(): void {
    for (const { measures } of this.#queue) measures.dispose();
    this.#queue.length = 0;
  }
}
