import { AdamW, ArgumentError, type AdamWOptions, type Parameter } from "@statespace/core";
import { AdamW8, Lion, Muon, type Optimizer } from "@statespace/core/backend";

/** What takes the steps. */
export const OPTIMIZERS = ["adamW", "adamW8", "lion", "muon"] as const;

/**
 * Which optimiser takes the steps, AdamW unless told, and its settings; `adamW8` keeps its moments in a byte a number, Lion has no `eps` and no
 * `decayAll`, Muon a `momentum`.
 */
export interface OptimizerSettings extends AdamWOptions {
  readonly kind?: (typeof OPTIMIZERS)[number];
  /** Of Muon; default 0.95. */
  readonly momentum?: number;
}

/** The same with a learning rate, and what training takes where nothing is told. */
export type ResolvedOptimizer = OptimizerSettings & { readonly learningRate: number };

/** Settings with the defaults of training: the Mamba paper's, but for the rate; of Lion a tenth of that, and as much more decay. @throws ArgumentError for what is no object. */
export function resolveOptimizer(settings: OptimizerSettings = {}): ResolvedOptimizer {
  if (typeof settings !== "object" || settings === null)
    throw new ArgumentError(
      `train: optimizer must be an object such as { kind: "muon" }, got ${JSON.stringify(settings)}`,
    );
  return settings.kind === "lion"
    ? { learningRate: 1e-4, weightDecay: 1, ...settings }
    : { learningRate: 1e-3, beta2: 0.95, weightDecay: 0.1, ...settings };
}

/** Tables and heads: their rows are words or answers, each of which learns by itself, so that Muon leaves them to AdamW. */
const TABLES = /^(encoder|head)\./;

/** @throws ArgumentError for settings that are unknown or out of range. */
export function makeOptimizer(
  parameters: readonly Parameter[],
  { kind = "adamW", ...settings }: OptimizerSettings,
): Optimizer {
  switch (kind) {
    case "adamW":
      return new AdamW(parameters, settings);
    case "adamW8":
      return new AdamW8(parameters, settings);
    case "lion":
      return new Lion(parameters, settings);
    case "muon":
      return new Muon(parameters, { ...settings, turns: ({ name, decay }) => decay && !TABLES.test(name) });
    default:
      throw new ArgumentError(
        `train: optimizer.kind must be ${OPTIMIZERS.map((each) => JSON.stringify(each)).join(" or ")}, got ${JSON.stringify(kind)}`,
      );
  }
}
