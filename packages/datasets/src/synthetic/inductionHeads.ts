import type { Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import { IGNORE_INDEX, type TokenBatch } from "../batch.ts";
import { forkRng, rngLane } from "../random.ts";
import type { Task } from "./task.ts";

/** Size and difficulty of `inductionHeads`. */
export interface InductionHeadsOptions {
  /** Ids including the special token, which is `vocabSize - 1`. Default 16. */
  readonly vocabSize?: number;
  /** Steps in a row; the last is the second special token, where the answer is due. Default 256. */
  readonly seqLen?: number;
}

/** Options of `streamInductionHeads`: rows too long for memory, made chunk by chunk from a seed. */
export interface InductionStreamOptions extends InductionHeadsOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Steps in one batch; memory does not depend on `seqLen`. Default 4096. */
  readonly chunkLen?: number;
}

/**
 * Induction heads: one special token stands somewhere in random tokens, followed by the answer;
 * when the special token comes again, at the last step, the answer is to be given.
 *
 * Shapes: inputs, targets, mask [b, seqLen]; only the last step has a target.
 * Errors: `ArgumentError` for `vocabSize` below 2 or `seqLen` below 3.
 * Source: Mamba (Gu and Dao 2023), section 4.1.2 and table 2: vocabulary 16, trained at 256, tested to 2^20.
 */
export function inductionHeads(options: InductionHeadsOptions = {}): Task<TokenBatch> {
  refuseUnknown("inductionHeads", options, ["vocabSize", "seqLen"]);
  const { vocabSize, seqLen } = resolve(options);
  return {
    info: {
      name: "induction-heads",
      description: `the token after the special one, recalled ${seqLen} steps in; vocabulary ${vocabSize}`,
      licence: "Apache-2.0",
      source: "generated; Gu and Dao 2023 (arXiv:2312.00752), section 4.1.2",
      split: "one generator a split",
    },
    vocabSize,
    sample(random, batchSize) {
      const rows = Array.from({ length: batchSize }, () => new InductionRow(forkRng(random), vocabSize, seqLen));
      return chunk(rows, 0, seqLen, seqLen);
    },
  };
}

/**
 * One batch of induction heads cut along its length, for lengths that do not fit in memory: carry the model's
 * state from batch to batch. The chunks joined are exactly what `inductionHeads().sample` gives from the same seed.
 *
 * Shapes: inputs, targets, mask [b, <= chunkLen]; `reset` is true on the first chunk only.
 * Errors: `ArgumentError` as `inductionHeads`.
 */
export function* streamInductionHeads(options: InductionStreamOptions): Generator<TokenBatch, void, undefined> {
  refuseUnknown("streamInductionHeads", options, ["batchSize", "seed", "chunkLen", "vocabSize", "seqLen"]);
  const { vocabSize, seqLen } = resolve(options);
  const { batchSize, seed, chunkLen = 4096 } = options;
  requireInteger("streamInductionHeads", "batchSize", batchSize, 1);
  requireInteger("streamInductionHeads", "chunkLen", chunkLen, 1);
  const random = rngLane(seed, 0);
  const rows = Array.from({ length: batchSize }, () => new InductionRow(forkRng(random), vocabSize, seqLen));
  for (let from = 0; from < seqLen; from += chunkLen) {
    yield chunk(rows, from, Math.min(chunkLen, seqLen - from), seqLen);
  }
}

/** Makes a row token by token: its random choices depend on the row's own generator alone. */
class InductionRow {
  readonly answer: number;
  readonly #random: Rng;
  readonly #special: number;
  readonly #place: number;
  readonly #last: number;

  constructor(random: Rng, vocabSize: number, seqLen: number) {
    this.#random = random;
    this.#special = vocabSize - 1;
    this.#last = seqLen - 1;
    this.#place = random.integer(seqLen - 2); // leaves room for the answer and for the question
    this.answer = random.integer(this.#special);
  }

  /** The token at step `t`; to be called once for each t in order. */
  token(t: number): number {
    const noise = this.#random.integer(this.#special);
    if (t === this.#place || t === this.#last) return this.#special;
    return t === this.#place + 1 ? this.answer : noise;
  }
}

function chunk(rows: readonly InductionRow[], from: number, l: number, seqLen: number): TokenBatch {
  const b = rows.length;
  const inputs = new Int32Array(b * l); // [b, l]
  const targets = new Int32Array(b * l).fill(IGNORE_INDEX);
  const mask = new Float32Array(b * l);
  for (const [row, source] of rows.entries()) {
    for (let t = 0; t < l; t++) inputs[row * l + t] = source.token(from + t);
    if (from + l === seqLen) {
      targets[(row + 1) * l - 1] = source.answer;
      mask[(row + 1) * l - 1] = 1;
    }
  }
  return { inputs, targets, mask, shape: [b, l], targetShape: [b, l], reset: from === 0 };
}

function resolve(options: InductionHeadsOptions): { vocabSize: number; seqLen: number } {
  const { vocabSize = 16, seqLen = 256 } = options;
  requireInteger("inductionHeads", "vocabSize", vocabSize, 2);
  requireInteger("inductionHeads", "seqLen", seqLen, 3);
  return { vocabSize, seqLen };
}
