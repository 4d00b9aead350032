import type { Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import { IGNORE_INDEX, type TokenBatch } from "../batch.ts";
import type { Task } from "./task.ts";

/** Size and difficulty of `copying` and `selectiveCopying`. */
export interface CopyingOptions {
  /** Ids: 0 is noise, `vocabSize - 1` asks for the answer, the rest is data. Default 16. */
  readonly vocabSize?: number;
  /** Data tokens to remember. Default 16. */
  readonly nTokens?: number;
  /** Steps before the answer is asked for; a row has `seqLen + nTokens` steps. Default 256. */
  readonly seqLen?: number;
}

/**
 * Selective copying: data tokens stand at random places in noise and are to be repeated in order at the end.
 * A time-invariant filter cannot solve it, since the spacing changes from row to row.
 *
 * Shapes: inputs, targets, mask [b, seqLen + nTokens]; targets are set on the last `nTokens` steps.
 * Errors: `ArgumentError` for sizes that do not fit.
 * Source: Mamba (Gu and Dao 2023), section 4.1.1 and table 1: vocabulary 16, 16 tokens, length 4096.
 */
export function selectiveCopying(options: CopyingOptions = {}): Task<TokenBatch> {
  return copyingTask("selective-copying", options, (random, row, nTokens, seqLen) => {
    let left = nTokens;
    // Selection sampling (Knuth, algorithm S): each subset of places is equally likely, and it comes sorted.
    for (let t = 0; left > 0; t++) {
      if (random.integer(seqLen - t) < left) row[nTokens - left--] = t;
    }
  });
}

/** Plain copying: as `selectiveCopying`, with all data tokens at the start, so that the delay is constant. */
export function copying(options: CopyingOptions = {}): Task<TokenBatch> {
  return copyingTask("copying", options, (_random, row) => {
    for (let i = 0; i < row.length; i++) row[i] = i;
  });
}

type PlaceTokens = (random: Rng, places: Int32Array, nTokens: number, seqLen: number) => void;

function copyingTask(name: string, options: CopyingOptions, place: PlaceTokens): Task<TokenBatch> {
  refuseUnknown(name, options, ["vocabSize", "nTokens", "seqLen"]);
  const { vocabSize = 16, nTokens = 16, seqLen = 256 } = options;
  requireInteger(name, "vocabSize", vocabSize, 3);
  requireInteger(name, "nTokens", nTokens, 1);
  requireInteger(name, "seqLen", seqLen, nTokens);
  const l = seqLen + nTokens;
  return {
    info: {
      name,
      description: `${nTokens} tokens among ${seqLen} steps, repeated at the end; vocabulary ${vocabSize}`,
      licence: "Apache-2.0",
      source: "generated; Gu and Dao 2023 (arXiv:2312.00752), section 4.1.1",
      split: "one generator a split",
    },
    vocabSize,
    sample(random, batchSize) {
      const inputs = new Int32Array(batchSize * l); // [b, l]
      const targets = new Int32Array(batchSize * l).fill(IGNORE_INDEX);
      const mask = new Float32Array(batchSize * l);
      const places = new Int32Array(nTokens);
      for (let row = 0; row < batchSize; row++) {
        const start = row * l;
        place(random, places, nTokens, seqLen);
        for (let i = 0; i < nTokens; i++) {
          const token = 1 + random.integer(vocabSize - 2);
          const answer = start + seqLen + i;
          inputs[start + places[i]] = token;
          inputs[answer] = vocabSize - 1;
          targets[answer] = token;
          mask[answer] = 1;
        }
      }
      return { inputs, targets, mask, shape: [batchSize, l], targetShape: [batchSize, l] };
    },
  };
}
