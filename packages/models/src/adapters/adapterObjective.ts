import { ArgumentError } from "@statespace/core";
import { modelObjective, type ModelObjectiveOptions } from "../train/modelObjective.ts";
import type { Trainable } from "../train/objective.ts";
import type { Adapter } from "./adapter.ts";

/** Options of `adapterObjective`. */
export interface AdapterObjectiveOptions extends ModelObjectiveOptions {
  /**
   * Products with a base in q8 or q4 round what they take to 8 bits a block of 32, as they do when the model speaks, and where the backend has
   * kernels for it (wasm) the gradients that come back through them, too; the rounding itself counts as none (straight through). A step takes less
   * time. The loss is that of the model as it speaks, gradients are off by some thousandths. Default false: floats.
   */
  readonly roundActivations?: boolean;
}

/** As `modelObjective`, of an adapter that is on: its parameters alone are trained, with its dropout. */
export function adapterObjective(
  adapter: Adapter,
  { roundActivations = false, ...options }: AdapterObjectiveOptions = {},
): Trainable {
  if (options.recompute && adapter.settings.dropout > 0)
    throw new ArgumentError(
      "adapterObjective: recompute does not go with an adapter's dropout, which would be drawn anew",
    );
  if (roundActivations && ![...adapter.model.formats.values()].some((format) => format === "q8" || format === "q4"))
    throw new ArgumentError(
      'adapterObjective: roundActivations is for weights in q8 or q4; load the model with { weights: "q8" }',
    );
  const inner = modelObjective(adapter.model, options);
  const { linears, head } = adapter.model;
  return {
    ...inner,
    parameters: adapter.parameters,
    loss: (batch, context) => {
      // Each time: another objective of the same model may have said otherwise, and what is computed again for the gradient comes after this.
      for (const linear of [...linears.values(), head.linear]) linear.rounded = roundActivations;
      return adapter.dropping(context.rng, () => inner.loss(batch, context));
    },
  };
}
