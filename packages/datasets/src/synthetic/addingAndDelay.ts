import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger, requireNumber } from "../arguments.ts";
import type { SignalBatch } from "../batch.ts";
import { bandLimitedNoise } from "./signals.ts";
import type { Task } from "./task.ts";

/**
 * The adding problem: each step shows a number in [0, 1) and a flag; two steps are flagged, one in each half;
 * the answer is the sum of the two numbers. Answering 1 always has a mean squared error of 1/6.
 *
 * Shapes: inputs [b, seqLen, 2] (number, flag), targets [b, 1].
 * Errors: `ArgumentError` for `seqLen` below 2.
 * Source: Hochreiter and Schmidhuber 1997, section 5.4, in the form of Arjovsky et al. 2016, section 4.2.
 */
export function addingProblem(options: { readonly seqLen?: number } = {}): Task<SignalBatch> {
  refuseUnknown("addingProblem", options, ["seqLen"]);
  const { seqLen = 256 } = options;
  requireInteger("addingProblem", "seqLen", seqLen, 2);
  const half = seqLen >> 1;
  return {
    info: {
      name: "adding",
      description: `sum of two flagged numbers among ${seqLen}`,
      licence: "Apache-2.0",
      source: "generated; Arjovsky et al. 2016 (arXiv:1511.06464), section 4.2",
      split: "one generator a split",
    },
    sample(random, batchSize) {
      const inputs = new Float32Array(batchSize * seqLen * 2); // [b, l, 2]
      const targets = new Float32Array(batchSize); // [b, 1]
      for (let row = 0; row < batchSize; row++) {
        const start = row * seqLen * 2;
        for (let t = 0; t < seqLen; t++) inputs[start + 2 * t] = random.uniform();
        for (const t of [random.integer(half), half + random.integer(seqLen - half)]) {
          inputs[start + 2 * t + 1] = 1;
          targets[row] += inputs[start + 2 * t];
        }
      }
      return { inputs, targets, shape: [batchSize, seqLen, 2], targetShape: [batchSize, 1] };
    },
  };
}

/** Size and difficulty of `delay`. */
export interface DelayOptions {
  /** Steps in a row. Default 1024. */
  readonly seqLen?: number;
  /** Steps the output lags behind the input. Default 256. */
  readonly lag?: number;
  /** Highest frequency of the input in cycles a step, in (0, 0.5]; 0.5 is white. Default 0.05. */
  readonly cutoff?: number;
}

/**
 * Delay: the output is the input `lag` steps ago; a linear memory in its purest form.
 * The input is band-limited noise with unit root mean square.
 *
 * Shapes: inputs, targets [b, seqLen, 1], mask [b, seqLen], which is 0 for the first `lag` steps.
 * Errors: `ArgumentError` where `lag` is not below `seqLen`.
 * Source: Voelker et al. 2019 (Legendre memory units), section 2.
 */
export function delay(options: DelayOptions = {}): Task<SignalBatch> {
  refuseUnknown("delay", options, ["seqLen", "lag", "cutoff"]);
  const { seqLen = 1024, lag = 256, cutoff = 0.05 } = options;
  requireInteger("delay", "seqLen", seqLen, 1);
  requireInteger("delay", "lag", lag, 0, seqLen - 1);
  requireNumber("delay", "cutoff", cutoff, 1 / seqLen, 0.5);
  return {
    info: {
      name: "delay",
      description: `band-limited noise, ${lag} steps late`,
      licence: "Apache-2.0",
      source: "generated; Voelker et al. 2019 (Legendre memory units), section 2",
      split: "one generator a split",
    },
    sample(random, batchSize) {
      const inputs = new Float32Array(batchSize * seqLen); // [b, l, 1]
      const targets = new Float32Array(batchSize * seqLen);
      const mask = new Float32Array(batchSize * seqLen); // [b, l]
      for (let row = 0; row < batchSize; row++) {
        const start = row * seqLen;
        inputs.set(bandLimitedNoise({ length: seqLen, cutoff, random }), start);
        targets.set(inputs.subarray(start, start + seqLen - lag), start + lag);
        mask.fill(1, start + lag, start + seqLen);
      }
      return { inputs, targets, mask, shape: [batchSize, seqLen, 1], targetShape: [batchSize, seqLen, 1] };
    },
  };
}
