import { ArgumentError } from "@statespace/core";

/** How a positive quantity is stored: as it is, as its logarithm, or through another positive function. */
export type PositiveTransform = "none" | "exp" | "relu" | "sigmoid" | "softplus";

/** Learning rates of their own for groups of parameters, as the official code's `lr` dictionary; 0 freezes. */
export interface S4LearningRates {
  /** A and P. */
  readonly A?: number;
  readonly B?: number;
  readonly C?: number;
  readonly delta?: number;
}

/** What an S4 block is made of. Sizes count elements. */
export interface S4Config {
  readonly dModel: number; // h
  /** Size of each channel's state, conjugates counted; half of it is kept. */
  readonly dState: number;
  /** `dplr` is S4 (Cauchy kernel), `diag` S4D and DSS (Vandermonde kernel). */
  readonly mode: "dplr" | "diag";
  /** dplr: a HiPPO measure. diag: S4D-Lin, -Inv, -LegS, -Real, or `random` (DSS). */
  readonly init: "legs" | "legt" | "fourier" | "lin" | "inv" | "real" | "random";
  /** dplr is always bilinear; `dss` is the softmax-normalised filter of DSS. */
  readonly discretization: "zoh" | "bilinear" | "dss";
  /** Rank of the correction in dplr; at least 1 (2 for legt). */
  readonly rank: number;
  /** Filters per channel. */
  readonly channels: number;
  /** A second filter looks ahead; such a block has no state. */
  readonly bidirectional: boolean;
  /** Independent (A, B, P); must divide dModel. */
  readonly nSsm: number;
  readonly deltaMin: number;
  readonly deltaMax: number;
  /** One step a channel, or one a state. */
  readonly deltaTie: boolean;
  readonly deltaTransform: PositiveTransform;
  readonly realTransform: PositiveTransform;
  readonly imagTransform: PositiveTransform;
  /**
   * dplr: the length l for which the weight C holds C (I - ABar^l), as training uses it; 0 when it holds C itself, which costs
   * powers of ABar at every forward pass. dss: the length its filters are normalised over.
   */
  readonly kernelLength: number;
  /** dplr: how a token is stepped, in O(n) through the structure or O(n^2) through the dense matrix. */
  readonly stepMode: "linear" | "dense";
  /** After convolution and skip. */
  readonly activation: "gelu" | "none";
  /** The projection behind it: with a gate, plain, or none (channels must be 1). */
  readonly output: "glu" | "linear" | "none";
  /** Sampling rate relative to the training data's: 0.5 for data sampled twice as densely. */
  readonly rate: number;
  readonly learningRates: S4LearningRates;
}

/** The official defaults for a block of `dModel` channels. @throws ArgumentError naming the first field that does not fit. */
export function s4Config(dModel: number, options: Partial<S4Config> = {}): S4Config {
  const mode = options.mode ?? "dplr";
  const init = options.init ?? "legs";
  const config: S4Config = {
    dModel,
    dState: 64,
    mode,
    init,
    discretization: mode === "dplr" ? "bilinear" : "zoh",
    rank: init === "legt" ? 2 : 1,
    channels: 1,
    bidirectional: false,
    nSsm: dModel,
    deltaMin: 0.001,
    deltaMax: 0.1,
    deltaTie: true,
    deltaTransform: "exp",
    realTransform: "exp",
    imagTransform: "none",
    kernelLength: 0,
    stepMode: "linear",
    activation: "gelu",
    output: "glu",
    rate: 1,
    learningRates: {},
    ...options,
  };
  checkConfig(config);
  return config;
}

/** S4D: a diagonal A (Lin, Inv, LegS or Real), no low-rank term. */
export function s4dConfig(dModel: number, options: Partial<S4Config> = {}): S4Config {
  return s4Config(dModel, { mode: "diag", init: "lin", ...options });
}

/** DSS: a diagonal A drawn at random, its filter normalised over `kernelLength`. */
export function dssConfig(dModel: number, options: Partial<S4Config> = {}): S4Config {
  return s4Config(dModel, { mode: "diag", init: "lin", discretization: "dss", ...options });
}

function checkConfig(config: S4Config): void {
  const { dModel, dState, mode, init, discretization, nSsm, kernelLength, output, channels } = config;
  const fail = (what: string): never => {
    throw new ArgumentError(`s4: ${what}`);
  };
  if (dState % 2 !== 0 || dState < 2) fail(`dState must be even, got ${dState}`);
  if (nSsm < 1 || dModel % nSsm !== 0) fail(`nSsm must divide dModel = ${dModel}, got ${nSsm}`);
  const measures = ["legs", "legt", "fourier"];
  if (mode === "dplr" && !measures.includes(init))
    fail(`init must be one of ${measures.join(", ")} in mode dplr, got ${init}`);
  if (mode === "diag" && (init === "legt" || init === "fourier"))
    fail(`init must be one of lin, inv, legs, real, random in mode diag, got ${init}`);
  if (mode === "dplr" && discretization !== "bilinear")
    fail(`discretization must be bilinear in mode dplr, got ${discretization}`);
  if (mode === "dplr" && !config.deltaTie)
    fail("deltaTie must be true in mode dplr, whose low-rank term couples the states");
  if (discretization === "dss" && !(kernelLength > 0))
    fail(`kernelLength must be given for discretization dss, which normalises over it`);
  if (output === "none" && channels !== 1) fail(`channels must be 1 without an output projection, got ${channels}`);
}
