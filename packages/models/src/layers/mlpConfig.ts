import type { ConfigOf, GivenOf, Known } from "../config/field.ts";
import { Schema } from "../config/schema.ts";

const mlpFields = {
  hidden: {
    type: "integer",
    default: { text: "8 dModel / 3, rounded up", of: (known: Known): number => Math.ceil((8 * known.dModel) / 3) },
    doc: "width, of each expert where there are some",
  },
  gated: {
    type: "boolean",
    default: true,
    doc: "half of the first projection is a gate: up activation(gate); else activation(up)",
  },
  activation: {
    type: "choice",
    choices: ["silu", "gelu", "geluTanh", "relu2"],
    default: "silu",
    doc: "`geluTanh` is gelu by its tanh formula, `relu2` the square of relu",
  },
  useBias: { type: "boolean", default: false, doc: "biases of the two projections; experts have none" },
  gateMultiplier: { type: "number", default: 1, doc: "factor on what the activation takes" },
  outputMultiplier: { type: "number", default: 1, doc: "factor on the output" },
} as const;

const expertFields = {
  experts: {
    type: "integer",
    min: 0,
    max: 65536,
    default: 0,
    doc: "MLPs to choose from; 0 for one that all tokens share",
  },
  expertsPerToken: {
    type: "integer",
    default: { text: "2, or 1 of one", of: (known: Known): number => Math.min(2, Math.max(1, known.num("experts"))) },
    doc: "experts that each token goes through",
  },
  router: {
    type: "choice",
    choices: ["softmax", "sigmoid"],
    default: "softmax",
    doc: "what makes an expert's score of its logit",
  },
  routerBias: {
    type: "boolean",
    default: false,
    doc: "a correction of the scores that chooses, but does not weigh; it is not trained",
  },
  routerGroups: { type: "integer", default: 1, doc: "equal groups of experts; a token's experts are of a few of them" },
  routerGroupsPerToken: { type: "integer", default: 1, doc: "how many: those with the largest sums of their two best" },
  renormalize: { type: "boolean", default: true, doc: "the scores of a token's experts are divided by their sum" },
  renormalizeEps: { type: "number", min: 0, max: 1, default: 0, doc: "added to that sum" },
  routedScale: { type: "number", default: 1, doc: "factor on what the experts give" },
  latent: {
    type: "integer",
    min: 0,
    default: 0,
    doc: "width that the experts see, between two projections; 0 for dModel",
  },
  sharedHidden: {
    type: "integer",
    min: 0,
    default: 0,
    doc: "width of an MLP beside the experts for all tokens; 0 for none",
  },
  sharedGate: { type: "boolean", default: false, doc: "what that one gives is gated by the sigmoid of a projection" },
} as const;

type MlpFields = typeof mlpFields & typeof expertFields;
/** What an MLP, or a mixture of experts, is made of. */
export type MlpConfig = ConfigOf<MlpFields>;
/** Settings of an MLP that differ from the defaults. */
export type MlpSettings = GivenOf<MlpFields>;

/** The settings of an MLP. */
export const mlpSchema: Schema<MlpConfig, MlpSettings> = new Schema(
  "mlp",
  [mlpFields, expertFields],
  (config, fail) => {
    const { experts, expertsPerToken, routerGroups, routerGroupsPerToken, sharedHidden, latent } = config;
    if (experts === 0) {
      if (sharedHidden > 0) fail("sharedHidden", "must be 0 where there are no experts");
      if (latent > 0) fail("latent", "must be 0 where there are no experts");
      return;
    }
    if (experts % routerGroups !== 0) fail("routerGroups", `must divide experts = ${experts}`);
    if (routerGroups > 1 && experts < 2 * routerGroups)
      fail("routerGroups", `must leave 2 of ${experts} experts to each`);
    if (routerGroupsPerToken > routerGroups)
      fail("routerGroupsPerToken", `must be at most routerGroups = ${routerGroups}`);
    const reached = (experts / routerGroups) * routerGroupsPerToken;
    if (expertsPerToken > reached)
      fail("expertsPerToken", `must be at most ${reached}, the experts that a token can choose from`);
    if (config.sharedGate && sharedHidden === 0) fail("sharedGate", "must be false where sharedHidden is 0");
  },
);
