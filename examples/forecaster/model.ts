import type { ModelConfig } from "@statespace/models";

/** Steps that are looked back upon; fewer serve, too. */
export const CONTEXT = 512;
/** Steps foretold at once, and the quantiles of each. */
export const HORIZON = 24;
export const QUANTILES = [0.1, 0.3, 0.5, 0.7, 0.9] as const;

const WIDTH = 96;
const mamba = { kind: "mamba2", expand: 2, headDim: 32, dState: 64 } as const;
/** Looks up what came a season ago. */
const attention = { kind: "attention", nHeads: 4 } as const;
const body = {
  dModel: WIDTH,
  encoder: { kind: "linear", channels: 1 },
  layers: [mamba, mamba, attention, mamba, attention, mamba],
  norm: "rms",
  mlp: 2 * WIDTH,
} as const satisfies Partial<ModelConfig>;

/** As it is shipped: it measures a context by its own mean and deviation, and answers after its last step. */
export const forecaster: ModelConfig = {
  ...body,
  normalize: "sequence",
  head: { kind: "forecasting", horizon: HORIZON, channels: 1, quantiles: QUANTILES },
};

/** The same weights as they are trained: an answer after every step. */
export const everyStep: ModelConfig = {
  ...body,
  head: { kind: "regression", outputs: HORIZON * QUANTILES.length, pooling: "none" },
};
