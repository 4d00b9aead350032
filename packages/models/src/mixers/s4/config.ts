import { ArgumentError } from "@statespace/core";
import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const s4Fields = {
  dState: {
    type: "integer",
    default: 64,
    doc: "size of each channel's state, conjugates counted; half of it is kept",
  },
  mode: {
    type: "choice",
    choices: ["dplr", "diag"],
    default: "dplr",
    doc: "`dplr` is S4 (Cauchy kernel), `diag` S4D and DSS (Vandermonde kernel)",
  },
  init: {
    type: "choice",
    choices: ["legs", "legt", "fourier", "lin", "inv", "real", "random"],
    default: "legs",
    doc: "how A starts. dplr: a HiPPO measure; diag: S4D-Lin, -Inv, -LegS, -Real, or `random` (DSS)",
  },
  discretization: {
    type: "choice",
    choices: ["bilinear", "zoh", "dss"],
    default: {
      text: "bilinear for dplr, else zoh",
      of: (known: Known): string => (known.is("mode", "dplr") ? "bilinear" : "zoh"),
    },
    doc: "dplr is always bilinear; `dss` is the softmax-normalised filter of DSS",
  },
  rank: {
    type: "integer",
    default: { text: "2 for legt, else 1", of: (known: Known): number => (known.is("init", "legt") ? 2 : 1) },
    doc: "rank of the correction in dplr",
  },
  channels: { type: "integer", default: 1, doc: "filters per channel" },
  bidirectional: {
    type: "boolean",
    default: false,
    doc: "a second filter looks ahead; such a layer has no state",
  },
  nSsm: {
    type: "integer",
    default: { text: "dModel", of: (known: Known): number => known.dModel },
    doc: "independent (A, B, P); divides dModel",
  },
  deltaMin: {
    type: "number",
    min: 0,
    above: true,
    max: 1e30,
    default: 0.001,
    doc: "least step of a new layer, drawn log-uniformly",
  },
  deltaMax: { type: "number", min: 0, above: true, max: 1e30, default: 0.1, doc: "largest step of a new layer" },
  deltaTie: { type: "boolean", default: true, doc: "one step a channel, or one a state" },
  deltaTransform: {
    type: "choice",
    choices: ["exp", "none", "relu", "sigmoid", "softplus"],
    default: "exp",
    doc: "how the step is stored",
  },
  realTransform: {
    type: "choice",
    choices: ["exp", "none", "relu", "sigmoid", "softplus"],
    default: "exp",
    doc: "how -Re A is stored",
  },
  imagTransform: {
    type: "choice",
    choices: ["exp", "none", "relu", "sigmoid", "softplus"],
    default: "none",
    doc: "how -Im A is stored",
  },
  kernelLength: {
    type: "integer",
    min: 0,
    default: 0,
    doc: "dplr: the length l for which the weight C holds C (I - ABar^l), as training uses it; 0 when it holds C itself, which costs powers of ABar at every forward pass. dss: the length its filters are normalised over",
  },
  stepMode: {
    type: "choice",
    choices: ["linear", "dense"],
    default: "linear",
    doc: "dplr: a token is stepped in O(n) through the structure, or in O(n^2) through the dense matrix",
  },
  activation: { type: "choice", choices: ["gelu", "none"], default: "gelu", doc: "after convolution and skip" },
  output: {
    type: "choice",
    choices: ["glu", "linear", "none"],
    default: "glu",
    doc: "the projection behind it: with a gate, plain, or none (channels must be 1)",
  },
  rate: {
    type: "number",
    min: 0,
    above: true,
    max: 1e30,
    default: 1,
    doc: "sampling rate relative to the training data's: 0.5 for data sampled twice as densely",
  },
  learningRates: {
    type: "rates",
    keys: ["A", "B", "C", "delta"],
    default: { text: "the optimiser's own", of: (): object => ({}) },
    doc: "learning rates for groups of parameters, as the official code's `lr`; 0 freezes. A: A and P",
  },
} as const;

type S4Options = GivenOf<typeof s4Fields>;
/** What an S4 layer is made of. Sizes count elements. */
export type S4Config = ConfigOf<typeof s4Fields>;
/** How a positive quantity is stored: as it is, as its logarithm, or through another positive function. */
export type PositiveTransform = S4Config["deltaTransform"];
/** Learning rates of their own for groups of parameters; 0 freezes. */
export type S4LearningRates = S4Config["learningRates"];

/** The settings of an S4 layer. */
export const s4Schema: Schema<S4Config, S4Options> = new Schema("s4", [s4Fields], check);

/** The settings of an S4D layer: a diagonal A, no low-rank term. */
export const s4dSchema: Schema<S4Config, S4Options> = s4Schema.with("s4d", {
  mode: { ...s4Fields.mode, default: "diag" },
  init: { ...s4Fields.init, choices: ["lin", "inv", "legs", "real", "random"], default: "lin" },
});

/** The settings of a DSS layer: a diagonal A drawn at random, its filter normalised over `kernelLength`. */
export const dssSchema: Schema<S4Config, S4Options> = s4dSchema.with("dss", {
  init: { ...s4Fields.init, choices: ["lin", "inv", "legs", "random"], default: "lin" },
  discretization: { ...s4Fields.discretization, default: "dss" },
});

/** The official defaults for a layer of `dModel` channels. @throws ArgumentError naming the first field that does not fit. */
export function s4Config(dModel: number, options?: S4Options): S4Config {
  return s4Schema.resolve(dModel, options);
}

/** {@link s4Config} of S4D: Lin, Inv, LegS or Real. */
export function s4dConfig(dModel: number, options?: S4Options): S4Config {
  return s4dSchema.resolve(dModel, options);
}

/** {@link s4Config} of DSS. */
export function dssConfig(dModel: number, options?: S4Options): S4Config {
  return dssSchema.resolve(dModel, options);
}

function check(config: S4Config): void {
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
