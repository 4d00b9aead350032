import type { ConfigOf, GivenOf } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const shortConvFields = {
  dConv: { type: "integer", max: 256, default: 3, doc: "taps of the convolution (k)" },
  useBias: { type: "boolean", default: false, doc: "biases of both projections and of the convolution" },
} as const;

/** What one gated short convolution is made of. */
export type ShortConvConfig = ConfigOf<typeof shortConvFields>;

/** The settings of a gated short convolution. */
export const shortConvSchema: Schema<ShortConvConfig, GivenOf<typeof shortConvFields>> = new Schema("shortConv", [
  shortConvFields,
]);
