import type { JsonObject } from "@statespace/files";
import { encodeJson } from "../config/encodeJson.ts";
import type { ConfigFields } from "../config/fields.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Family } from "./family.ts";

/** Our own files: the config as it is, weights under their own names. Older ones say `modelType: "sequence"`. */
export const statespace: Family = {
  name: "statespace",
  weights: {},
  detect: ({ modelType, model_type: theirs }) => typeof modelType === "string" && theirs === undefined,
  // Checked by the model's constructor, which reads it as it reads any config.
  read: (fields: ConfigFields): ModelConfig => fields.json as unknown as ModelConfig,
  write: ({ config }): JsonObject => encodeJson({ modelType: "statespace", ...config }) as JsonObject,
};
