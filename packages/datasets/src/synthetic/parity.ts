import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { TokenBatch } from "../batch.ts";
import type { Task } from "./task.ts";

/**
 * Parity: at each step, whether the bits so far hold an odd number of ones: one bit of state that must flip.
 *
 * Shapes: inputs, targets [b, seqLen], all targets count.
 * Errors: `ArgumentError` for `seqLen` below 1.
 * Source: Mamba-3 (2025), state-tracking tasks; Grazzi et al. 2024 (arXiv:2411.12537) show why positive eigenvalues fail.
 */
export function parity(options: { readonly seqLen?: number } = {}): Task<TokenBatch> {
  refuseUnknown("parity", options, ["seqLen"]);
  const { seqLen = 64 } = options;
  requireInteger("parity", "seqLen", seqLen, 1);
  return {
    info: {
      name: "parity",
      description: `running parity of ${seqLen} bits`,
      licence: "Apache-2.0",
      source: "generated; Grazzi et al. 2024 (arXiv:2411.12537)",
      split: "one generator a split",
    },
    vocabSize: 2,
    sample(random, batchSize) {
      const inputs = new Int32Array(batchSize * seqLen); // [b, l]
      const targets = new Int32Array(batchSize * seqLen);
      for (let i = 0; i < inputs.length; i++) {
        inputs[i] = random.integer(2);
        targets[i] = i % seqLen === 0 ? inputs[i] : targets[i - 1] ^ inputs[i];
      }
      return { inputs, targets, shape: [batchSize, seqLen], targetShape: [batchSize, seqLen] };
    },
  };
}
