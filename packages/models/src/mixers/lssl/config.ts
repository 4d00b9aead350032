import { ArgumentError } from "@statespace/core";
import type { ConfigOf, GivenOf } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const lsslFields = {
  dState: { type: "integer", default: 64, doc: "state entries of a channel (n)" },
  channels: { type: "integer", default: 1, doc: "outputs of each channel's system" },
  measure: {
    type: "choice",
    choices: ["legs", "legt", "lagt", "fourier", "foud", "random"],
    default: "legs",
    doc: "the HiPPO matrix that every channel starts with; `random`, the papers' control, draws a stable one for each",
  },
  discretization: {
    type: "choice",
    choices: ["bilinear", "zoh", "gbt"],
    default: "bilinear",
    doc: "`gbt` is the generalised bilinear transform with alpha; `bilinear` is alpha = 1/2",
  },
  alpha: { type: "number", min: 0, max: 1, default: 0.5, doc: "of `gbt`: 0 forward Euler, 1 backward Euler" },
  mode: {
    type: "choice",
    choices: ["convolutional", "recurrent"],
    default: "convolutional",
    doc: "which of its two views the layer runs sequences in; may be changed between uses",
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
  activation: { type: "choice", choices: ["gelu", "none"], default: "gelu", doc: "after the system" },
  output: {
    type: "choice",
    choices: ["glu", "linear", "none"],
    default: "glu",
    doc: "the projection behind it: with a gate, plain, or none (channels must be 1)",
  },
  ssmLearningRate: {
    type: "number",
    optional: true,
    min: 0,
    above: true,
    max: 1e30,
    doc: "learning rate of A, B and the steps; the optimiser's own without it",
  },
} as const;

type LsslOptions = GivenOf<typeof lsslFields>;
/** What an LSSL layer is made of. Sizes count elements. */
export type LsslConfig = ConfigOf<typeof lsslFields>;

/** The settings of an LSSL layer. */
export const lsslSchema: Schema<LsslConfig, LsslOptions> = new Schema(
  "lssl",
  [lsslFields],
  ({ discretization, alpha, output, channels }) => {
    if (discretization === "bilinear" && alpha !== 0.5)
      throw new ArgumentError(`lssl: alpha must be 0.5 with discretization bilinear, got ${alpha}; use gbt`);
    if (output === "none" && channels !== 1)
      throw new ArgumentError(`lssl: channels must be 1 without an output projection, got ${channels}`);
  },
);

/** The paper's choices for a layer of `dModel` channels. @throws ArgumentError for settings that do not fit together. */
export function lsslConfig(dModel: number, options?: LsslOptions): LsslConfig {
  return lsslSchema.resolve(dModel, options);
}
