import type { ConfigOf, GivenOf } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const s5Fields = {
  dState: {
    type: "integer",
    default: 64,
    doc: "size of the state, conjugates counted; with conjSym half of it is kept",
  },
  blocks: { type: "integer", default: 1, doc: "HiPPO-N blocks that the start is made of; twice as many divide dState" },
  discretization: {
    type: "choice",
    choices: ["zoh", "bilinear"],
    default: "zoh",
    doc: "from the continuous to the sampled system",
  },
  bidirectional: {
    type: "boolean",
    default: false,
    doc: "a second scan runs from the end; such a layer has no state",
  },
  conjSym: { type: "boolean", default: true, doc: "states come in conjugate pairs, of which one is kept" },
  clipEigs: { type: "boolean", default: false, doc: "keeps Re Lambda at most -1e-4, for sequences without end" },
  cInit: {
    type: "choice",
    choices: ["truncStandardNormal", "lecunNormal", "complexNormal"],
    default: "truncStandardNormal",
    doc: "how C starts",
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
  stepRescale: {
    type: "number",
    min: 0,
    above: true,
    max: 1e30,
    default: 1,
    doc: "factor on every step: 2 for data sampled half as often as what the layer was trained on",
  },
  activation: {
    type: "choice",
    choices: ["fullGlu", "halfGlu1", "halfGlu2", "gelu", "none"],
    default: "fullGlu",
    doc: "what follows the SSM: a gate as in the paper's code, gelu, or nothing",
  },
  ssmLearningRate: {
    type: "number",
    optional: true,
    min: 0,
    above: true,
    max: 1e30,
    doc: "learning rate of Lambda, B and the steps; the optimiser's own without it",
  },
} as const;

type S5Options = GivenOf<typeof s5Fields>;
/** What an S5 layer is made of. Sizes count elements. */
export type S5Config = ConfigOf<typeof s5Fields>;

/** The settings of an S5 layer. */
export const s5Schema: Schema<S5Config, S5Options> = new Schema("s5", [s5Fields]);

/** The paper's choices for a layer of `dModel` channels. @throws ArgumentError naming the setting. */
export function s5Config(dModel: number, options?: S5Options): S5Config {
  return s5Schema.resolve(dModel, options);
}
