import { ArgumentError } from "@statespace/core";
import { modelObjective, type ModelObjectiveOptions } from "../train/modelObjective.ts";
import type { Trainable } from "../train/objective.ts";
import type { Adapter } from "./adapter.ts";

/** As `modelObjective`, of an adapter that is on: its parameters alone are trained, with its dropout. */
export function adapterObjective(adapter: Adapter, options: ModelObjectiveOptions = {}): Trainable {
  if (options.recompute && adapter.settings.dropout > 0)
    throw new ArgumentError(
      "adapterObjective: recompute does not go with an adapter's dropout, which would be drawn anew",
    );
  const inner = modelObjective(adapter.model, options);
  return {
    ...inner,
    parameters: adapter.parameters,
    loss: (batch, context) => adapter.dropping(context.rng, () => inner.loss(batch, context)),
  };
}
