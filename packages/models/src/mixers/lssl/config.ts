import { ArgumentError, type HippoMeasure } from "@statespace/core";

/** What an LSSL layer is made of. Sizes count elements. */
export interface LsslConfig {
  readonly dModel: number; // h
  readonly dState: number; // n
  /** Outputs of each channel's system. */
  readonly channels: number;
  /** The HiPPO matrix that every channel starts with; `random`, the papers' control, draws a stable one for each channel. */
  readonly measure: Extract<HippoMeasure, "legs" | "legt" | "lagt" | "fourier" | "foud"> | "random";
  /** `gbt` is the generalised bilinear transform with `alpha`; `bilinear` is alpha = 1/2. */
  readonly discretization: "bilinear" | "gbt" | "zoh";
  readonly alpha: number;
  /** Which of its two views the layer runs sequences in; may be changed between uses. */
  readonly mode: "recurrent" | "convolutional";
  readonly deltaMin: number;
  readonly deltaMax: number;
  readonly activation: "gelu" | "none";
  readonly output: "glu" | "linear" | "none";
  /** Learning rate of A, B and the steps; the optimiser's own if absent. */
  readonly ssmLearningRate?: number | undefined;
}

/** The paper's choices for a layer of `dModel` channels. @throws ArgumentError for settings that do not fit together. */
export function lsslConfig(dModel: number, options: Partial<LsslConfig> = {}): LsslConfig {
  const config: LsslConfig = {
    dModel,
    dState: 64,
    channels: 1,
    measure: "legs",
    discretization: "bilinear",
    alpha: 0.5,
    mode: "convolutional",
    deltaMin: 0.001,
    deltaMax: 0.1,
    activation: "gelu",
    output: "glu",
    ...options,
  };
  if (config.discretization === "bilinear" && config.alpha !== 0.5)
    throw new ArgumentError(`lssl: alpha must be 0.5 with discretization bilinear, got ${config.alpha}; use gbt`);
  if (config.output === "none" && config.channels !== 1)
    throw new ArgumentError(`lssl: channels must be 1 without an output projection, got ${config.channels}`);
  return config;
}
