import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const recurrentFields = {
  dHidden: {
    type: "integer",
    default: { text: "dModel", of: (known: Known): number => known.dModel },
    doc: "hidden units (h); where they are not dModel, a projection leads back",
  },
} as const;

/** A GRU or LSTM layer. */
export type RecurrentConfig = ConfigOf<typeof recurrentFields>;

/** The settings of a GRU layer. */
export const gruSchema: Schema<RecurrentConfig, GivenOf<typeof recurrentFields>> = new Schema("gru", [recurrentFields]);

/** The settings of an LSTM layer. */
export const lstmSchema: Schema<RecurrentConfig, GivenOf<typeof recurrentFields>> = gruSchema.with("lstm", {});
