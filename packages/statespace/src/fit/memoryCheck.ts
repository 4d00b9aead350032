import { OutOfMemoryError } from "@statespace/core";
import {
  estimateMemory,
  type MemoryEstimate,
  type Model,
  type OptimizerSettings,
  type Trainable,
  type TrainingStream,
} from "@statespace/models";

/** What WebAssembly can address. */
const WASM_LIMIT = 2 ** 32;

/**
 * Sees before the first step whether a step fits.
 * @param limit bytes there are; what WebAssembly can address there, and unknown elsewhere, unless told
 * @throws OutOfMemoryError with the numbers
 */
export function checkMemory(
  model: Model,
  objective: Trainable,
  stream: TrainingStream,
  {
    memoryLimit,
    accumulate,
    optimizer,
  }: {
    readonly memoryLimit: number | undefined;
    readonly accumulate: number | undefined;
    readonly optimizer: OptimizerSettings["kind"];
  },
): void {
  const limit = memoryLimit ?? (model.backend.label === "wasm" ? WASM_LIMIT : undefined);
  if (limit === undefined) return;
  const before = stream.state();
  const batch = stream.nextBatch();
  stream.restore(before);
  const estimate = estimateMemory(model, objective, batch, accumulate, optimizer);
  if (estimate.total <= limit) return;
  throw new OutOfMemoryError(
    `fit: a step takes about ${inWords(estimate.total)}, and there are ${inWords(limit)}: ${partsOf(estimate)}. A smaller batchSize (with accumulate), a shorter seqLen, recompute or an adapter take less`,
  );
}

function partsOf({ weights, training, activations }: MemoryEstimate): string {
  return `weights ${inWords(weights)}, gradients and moments ${inWords(training)}, what the forward pass keeps ${inWords(activations)}`;
}

function inWords(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`;
}
