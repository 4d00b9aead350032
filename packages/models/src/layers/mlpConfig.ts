import type { ConfigOf, GivenOf, Known } from "../config/field.ts";
import { Schema } from "../config/schema.ts";

const mlpFields = {
  hidden: {
    type: "integer",
    default: { text: "8 dModel / 3, rounded up", of: (known: Known): number => Math.ceil((8 * known.dModel) / 3) },
    doc: "width",
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
  useBias: { type: "boolean", default: false, doc: "biases of the two projections" },
  gateMultiplier: { type: "number", default: 1, doc: "factor on what the activation takes" },
  outputMultiplier: { type: "number", default: 1, doc: "factor on the output" },
} as const;

/** What an MLP is made of. */
export type MlpConfig = ConfigOf<typeof mlpFields>;
/** Settings of an MLP that differ from the defaults. */
export type MlpSettings = GivenOf<typeof mlpFields>;

/** The settings of an MLP. */
export const mlpSchema: Schema<MlpConfig, MlpSettings> = new Schema("mlp", [mlpFields]);
