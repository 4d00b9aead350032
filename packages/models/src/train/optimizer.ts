import { AdamW, ArgumentError, type AdamWOptions, type Parameter } from "@statespace/core";
import { Lion, type Optimizer } from "@statespace/core/backend";

/** Which optimiser takes the steps, AdamW unless told, and its settings; Lion has no `eps` and no `decayAll`. */
export interface OptimizerSettings extends AdamWOptions {
  readonly kind?: "adamW" | "lion";
}

/** The same with a learning rate, and what training takes where nothing is told. */
export type ResolvedOptimizer = OptimizerSettings & { readonly learningRate: number };

/** Settings with the defaults of training: the Mamba paper's, but for the rate; of Lion a tenth of that, and as much more decay. */
export function resolveOptimizer(settings: OptimizerSettings = {}): ResolvedOptimizer {
  return settings.kind === "lion"
    ? { learningRate: 1e-4, weightDecay: 1, ...settings }
    : { learningRate: 1e-3, beta2: 0.95, weightDecay: 0.1, ...settings };
}

/** @throws ArgumentError for settings that are unknown or out of range. */
export function makeOptimizer(
  parameters: readonly Parameter[],
  { kind = "adamW", ...settings }: OptimizerSettings,
): Optimizer {
  if (kind !== "adamW" && kind !== "lion")
    throw new ArgumentError(`train: optimizer.kind must be "adamW" or "lion", got ${JSON.stringify(kind)}`);
  return kind === "lion" ? new Lion(parameters, settings) : new AdamW(parameters, settings);
}
