import { memory, Rng, tidy, type Parameter } from "@statespace/core";
import { rehearse } from "@statespace/core/backend";
import type { Model } from "../model/model.ts";
import type { TrainingBatch } from "./batch.ts";
import { asLossResult, type Trainable } from "./objective.ts";
import type { OPTIMIZERS } from "./optimizer.ts";

/** Bytes that a training step takes. */
export interface MemoryEstimate {
  /** Of the model, as they are kept, and of an adapter. */
  readonly weights: number;
  /** Gradients and moments of what is trained. */
  readonly training: number;
  /** What the forward pass keeps for the gradient. */
  readonly activations: number;
  readonly total: number;
}

/** Bytes of a weight's moments; Muon's are one for matrices, two for the rest. */
const MOMENTS = { adamW: 8, adamW8: 2, lion: 4, muon: 8 } as const satisfies Record<
  (typeof OPTIMIZERS)[number],
  number
>;

/** Gradient and moments, and the sum of gradients where several batches make a step. */
const bytesOfWeight = (accumulate: number, optimizer: keyof typeof MOMENTS): number =>
  (accumulate > 1 ? 8 : 4) + MOMENTS[optimizer];

/**
 * What a step on such batches takes, before one is made: the forward pass of the batch's first row, and of its first two, is run.
 * What the second added is counted for each of the others.
 * @param accumulate batches to a step
 * @param optimizer what takes the steps
 */
export function estimateMemory(
  model: Pick<Model, "parameters" | "attached">,
  trainable: Trainable,
  batch: TrainingBatch,
  accumulate = 1,
  optimizer: (typeof OPTIMIZERS)[number] = "adamW",
): MemoryEstimate {
  const weights = bytesOf([...model.parameters, ...model.attached]);
  const training =
    bytesOfWeight(accumulate, optimizer) * trainable.parameters.reduce((total, { size }) => total + size, 0);
  const rows = batch.shape[0]!;
  const one = keptFor(trainable, firstRows(batch, 1));
  const activations = rows === 1 ? one : one + (rows - 1) * (keptFor(trainable, firstRows(batch, 2)) - one);
  return { weights, training, activations, total: weights + training + activations };
}

const bytesOf = (parameters: readonly Parameter[]): number =>
  parameters.reduce((total, { value }) => total + value.bytes, 0);

/** Bytes alive at the end of a forward pass that were not before. */
function keptFor(trainable: Trainable, batch: TrainingBatch): number {
  const xs = trainable.parameters.filter(({ trainable: trained }) => trained).map(({ value }) => value);
  const before = memory().bytes;
  let alive = 0;
  tidy(() =>
    rehearse(xs, () => {
      const { state } = asLossResult(trainable.loss(batch, { carried: undefined, rng: new Rng(0) }));
      alive = memory().bytes - before;
      state?.dispose();
    }),
  );
  return Math.max(0, alive);
}

function firstRows(batch: TrainingBatch, rows: number): TrainingBatch {
  const [b] = batch.shape as [number];
  const { inputs, targets, mask, seqIdx, lengths, gaps } = batch;
  const share = ({ length }: { readonly length: number }): number => (rows * length) / b;
  return {
    ...batch,
    inputs: inputs.slice(0, share(inputs)),
    shape: [rows, ...batch.shape.slice(1)],
    targets: targets.slice(0, share(targets)),
    targetShape: [rows, ...batch.targetShape.slice(1)],
    ...(mask && { mask: mask.slice(0, share(mask)) }),
    ...(seqIdx && { seqIdx: seqIdx.slice(0, share(seqIdx)) }),
    ...(gaps && { gaps: gaps.slice(0, share(gaps)) }),
    ...(lengths && { lengths: lengths.slice(0, rows) }),
  };
}
