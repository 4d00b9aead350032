import { ArgumentError, FormatError } from "@statespace/core";
import { quote, type JsonObject } from "@statespace/files";
import type { ResolvedModel } from "../../model/config.ts";
import { falconH1 } from "./falconH1.ts";
import type { GgufFamily, GgufMetadata } from "./ggufFamily.ts";
import { graniteHybrid } from "./graniteHybrid.ts";
import { jamba } from "./jamba.ts";
import { lfm2 } from "./lfm2.ts";
import { lfm2Moe } from "./lfm2Moe.ts";
import { mamba } from "./mamba.ts";
import { mamba2 } from "./mamba2.ts";
import { nemotronH, nemotronHMoe } from "./nemotronH.ts";
import { qwen35 } from "./qwen35.ts";
import { qwen35Moe } from "./qwen35Moe.ts";

/** Every architecture of llama.cpp that is read and written. */
export const ggufFamilies: readonly GgufFamily[] = [
  mamba,
  mamba2,
  falconH1,
  graniteHybrid,
  nemotronH,
  nemotronHMoe,
  lfm2,
  lfm2Moe,
  qwen35,
  qwen35Moe,
  jamba,
];

/** Whether a config is the metadata of a GGUF file. */
export function isGgufConfig(config: JsonObject): boolean {
  return "general.architecture" in config;
}

/** The family of a file's metadata. @throws FormatError if it is of none */
export function ggufFamilyOf(config: JsonObject): GgufFamily {
  const found = ggufFamilies.find((family) => family.detect(config));
  if (found !== undefined) return found;
  const { "general.architecture": name } = config;
  throw new FormatError(
    `"general.architecture" must be one of ${ggufFamilies.map(({ architecture }) => architecture).join(", ")}, got ${typeof name === "string" ? quote(name) : "nothing"}`,
  );
}

/**
 * The architecture that computes what a model does, and the metadata of the model.
 * @throws ArgumentError telling of each architecture with such layers what it cannot express
 */
export function ggufFamilyFor(model: ResolvedModel): { readonly family: GgufFamily; readonly metadata: GgufMetadata } {
  const reasons: string[] = [];
  for (const family of ggufFamilies) {
    try {
      return { family, metadata: family.metadata(model) };
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      // That its layers are others goes without saying.
      if (!/cannot express layers/.test(error.message)) reasons.push(error.message);
    }
  }
  const kinds = [...new Set(model.layers.flatMap(({ mixers }) => mixers.map(({ kind }) => kind)))];
  throw new ArgumentError(
    `GGUF: llama.cpp has no architecture for this model (layers of ${kinds.join(", ")})${reasons.map((reason) => `; ${reason}`).join("")}`,
  );
}
