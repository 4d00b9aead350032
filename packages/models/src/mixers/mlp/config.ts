import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const mlpFields = {
  hidden: {
    type: "integer",
    default: { text: "8 dModel / 3, rounded up", of: (known: Known): number => Math.ceil((8 * known.dModel) / 3) },
    doc: "width",
  },
} as const;

/** What an MLP in a layer's place is made of. */
export type MlpMixerConfig = ConfigOf<typeof mlpFields>;

/** The settings of an MLP in a layer's place. */
export const mlpSchema: Schema<MlpMixerConfig, GivenOf<typeof mlpFields>> = new Schema("mlp", [mlpFields]);
