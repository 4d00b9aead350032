import { ArgumentError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";
import { blockOf, type QuantizedType } from "@statespace/files";
import type { Model } from "../../model/model.ts";
import type { PublishedTensor } from "../weightNames.ts";

/** How a GGUF file keeps matrices. `q4_k_m` is a mix of Q4_K and Q6_K; the others are one type. */
export type GgufWeights = "f32" | "f16" | "bf16" | "q8" | "q4" | "q4_k_m";

interface Format {
  readonly type: QuantizedType;
  /** `general.file_type`. */
  readonly fileType: number;
}

const FORMATS: Readonly<Record<GgufWeights, Format>> = {
  f32: { type: "F32", fileType: 0 },
  f16: { type: "F16", fileType: 1 },
  bf16: { type: "BF16", fileType: 32 },
  q8: { type: "Q8_0", fileType: 7 },
  q4: { type: "Q4_0", fileType: 2 },
  q4_k_m: { type: "Q4_K", fileType: 15 },
};
const ALIASES: Readonly<Record<string, GgufWeights>> = { q8_0: "q8", q4_0: "q4", q4_k: "q4_k_m", float32: "f32", float16: "f16", bfloat16: "bf16" }; // prettier-ignore

/** @throws ArgumentError for one that is not known, with the one that may be meant */
export function readGgufWeights(caller: string, weights: unknown): GgufWeights {
  if (weights === undefined) return "f32";
  const name = String(weights).toLowerCase();
  if (Object.hasOwn(FORMATS, name)) return name as GgufWeights;
  const known = Object.keys(FORMATS);
  const meant = ALIASES[name] ?? nearestName(name, known);
  throw new ArgumentError(
    `${caller}: weights must be one of ${known.join(", ")}, got ${JSON.stringify(weights) ?? name}${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
  );
}

/** `general.file_type`. */
export const fileTypeOf = (weights: GgufWeights): number => FORMATS[weights].fileType;

/** Layers of the first and last eighth, and every third between: their values and second projections of the MLP get more bits. */
function hasMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** The type of a tensor. Only what is multiplied as a matrix, or looked up in, is stored in fewer bits: the rest is small, and its errors are not. */
export function typeOf(target: PublishedTensor, model: Model, weights: GgufWeights): QuantizedType {
  const { key, parameter, shape } = target;
  if (!model.matrices.has(parameter) || shape.length < 2) return "F32";
  const wanted = weights === "q4_k_m" ? mixed(key, model) : FORMATS[weights].type;
  const fits = (type: QuantizedType): boolean => shape.at(-1)! % blockOf(type).elements === 0;
  return [wanted, "Q8_0" as const, "F16" as const].find(fits)!;
}

function mixed(key: string, { resolved: { head, layers } }: Model): QuantizedType {
  const tied = head.kind === "language" && head.tie === true;
  if (key === "output.weight" || (tied && key === "token_embd.weight")) return "Q6_K";
  const [, layer, name] = /^blk\.(\d+)\.(.*)\.weight$/.exec(key) ?? [];
  const more =
    (name === "attn_v" || /^ffn_down(_exps|_shexp)?$/.test(name ?? "")) && hasMoreBits(Number(layer), layers.length);
  return more ? "Q6_K" : "Q4_K";
}
