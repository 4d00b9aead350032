import type { ModelConfig } from "@statespace/models";

/** Steps foretold at once, and the quantiles of each. */
export const HORIZON = 24;
export const QUANTILES = [0.1, 0.3, 0.5, 0.7, 0.9] as const;

const WIDTH = 64;
const body = {
  dModel: WIDTH,
  encoder: { kind: "linear", channels: 1 },
  layers: [8, 4, 2, 1].map((share) => ({
    kind: "s4d",
    dState: 32,
    init: "lin",
    deltaMin: 0.001 * share,
    deltaMax: 0.3,
    output: "glu",
  })),
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
