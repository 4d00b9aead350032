import { ArgumentError, type Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger, requireNumber } from "../arguments.ts";
import { IGNORE_INDEX, type TokenBatch } from "../batch.ts";
import { permutation } from "../random.ts";
import type { Task } from "./task.ts";

/** Size and difficulty of `associativeRecall`. */
export interface AssociativeRecallOptions {
  /** Ids: 0 is filler, then keys, then values in the upper half. Default 64. */
  readonly vocabSize?: number;
  /** Key-value pairs shown at the start of a row. Default 4. */
  readonly nPairs?: number;
  /** Steps in a row, even, at least `4 nPairs`. Default 64. */
  readonly seqLen?: number;
  /** Exponent of the gap law, p(gap) ~ gap^(power - 1): small asks soon, 1 is uniform. Default 0.01. */
  readonly power?: number;
}

/**
 * Multi-query associative recall: `nPairs` keys with their values, then every key once more at a random later
 * place, where its value is to be given. Keys are distinct within a row.
 *
 * Shapes: inputs, targets, mask [b, seqLen]; targets are set where a key is asked.
 * Errors: `ArgumentError` where pairs, queries and keys do not fit.
 * Source: Zoology (Arora et al. 2023), section 4 and appendix C; here a step between queries is filler 0.
 */
export function associativeRecall(options: AssociativeRecallOptions = {}): Task<TokenBatch> {
  const where = "associativeRecall";
  refuseUnknown("associativeRecall", options, ["vocabSize", "nPairs", "seqLen", "power"]);
  const { vocabSize = 64, nPairs = 4, seqLen = 64, power = 0.01 } = options;
  requireInteger(where, "vocabSize", vocabSize, 4);
  requireInteger(where, "nPairs", nPairs, 1);
  requireInteger(where, "seqLen", seqLen, 4 * nPairs);
  requireNumber(where, "power", power, 1e-6, 1e3);
  if (seqLen % 2 !== 0) throw new ArgumentError(`${where}: seqLen must be even, got ${seqLen}`);
  const half = vocabSize >> 1;
  if (nPairs > half - 1)
    throw new ArgumentError(`${where}: nPairs must be <= ${half - 1} for vocabSize ${vocabSize}, got ${nPairs}`);
  const slots = (seqLen - 2 * nPairs) / 2;
  const weights = Float64Array.from({ length: slots }, (_, i) => (i + 1) ** (power - 1));
  return {
    info: {
      name: "associative-recall",
      description: `${nPairs} pairs, every key asked once within ${seqLen} steps; vocabulary ${vocabSize}`,
      licence: "Apache-2.0",
      source: "generated; Arora et al. 2023 (arXiv:2312.04927), section 4",
      split: "one generator a split",
    },
    vocabSize,
    sample(random, batchSize) {
      const inputs = new Int32Array(batchSize * seqLen); // [b, l]
      const targets = new Int32Array(batchSize * seqLen).fill(IGNORE_INDEX);
      const mask = new Float32Array(batchSize * seqLen);
      for (let row = 0; row < batchSize; row++) {
        const start = row * seqLen;
        const keys = permutation(random, half - 1).subarray(0, nPairs);
        const gaps = drawSlots(random, weights, nPairs);
        for (let i = 0; i < nPairs; i++) {
          const value = half + random.integer(vocabSize - half);
          const query = start + 2 * nPairs + 2 * gaps[i];
          inputs[start + 2 * i] = inputs[query] = 1 + keys[i];
          inputs[start + 2 * i + 1] = targets[query] = value;
          mask[query] = 1;
        }
      }
      return { inputs, targets, mask, shape: [batchSize, seqLen], targetShape: [batchSize, seqLen] };
    },
  };
}

/** `count` distinct slots, each drawn with a chance in proportion to its weight among those left. */
function drawSlots(random: Rng, weights: Float64Array, count: number): Int32Array {
  const keyed = Array.from(weights, (weight, slot) => ({ slot, key: -Math.log(1 - random.uniform()) / weight }));
  // The smallest of exponential clocks with these rates is a weighted draw without replacement (Efraimidis and Spirakis 2006).
  keyed.sort((p, q) => p.key - q.key || p.slot - q.slot);
  return Int32Array.from({ length: count }, (_, i) => keyed[i].slot);
}
