import type { JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { yarnGain, type RotaryScaling } from "../mixers/attention/scaling.ts";

const KINDS = ["default", "linear", "dynamic", "yarn", "llama3"] as const;
const POSITIVE = { min: 0, above: true, max: 1e6 } as const;
/** Of a scaling that does not depend on it. */
const UNUSED_LENGTH = 8192;
/** Names of the ends of a ramp: turns from which on a pair is scaled, and is not. */
const RAMPS = {
  yarn: ["beta_slow", "beta_fast", [1, 32]],
  llama3: ["low_freq_factor", "high_freq_factor", [1, 4]],
} as const;

/**
 * Rotary positions as transformers' configs have them: `rope_parameters` of version 5, or `rope_theta` and `rope_scaling` before it.
 * @throws FormatError for another kind of positions, or what is missing of one
 */
export function readRope(
  fields: ConfigFields,
  theta: number,
): Pick<AttentionMixerConfig, "rotaryBase" | "rotaryScaling"> {
  const rope = fields.object("rope_parameters");
  const owner = rope.has("rope_theta") ? rope : fields;
  const rotaryBase = owner.number("rope_theta", theta, { min: 0, above: true, max: 1e12 });
  const source = [rope, fields.object("rope_scaling")].find((own) => own.has("rope_type") || own.has("type")) ?? rope;
  const type = source.choice(source.has("rope_type") ? "rope_type" : "type", KINDS, "default");
  return type === "default" ? { rotaryBase } : { rotaryBase, rotaryScaling: readScaling(fields, source, type) };
}

function readScaling(fields: ConfigFields, rope: ConfigFields, type: RotaryScaling["type"]): RotaryScaling {
  const trainedLength = type === "linear" ? UNUSED_LENGTH : readLength(fields, rope, type);
  // Some files of yarn leave the factor to the two lengths.
  const ofLengths = fields.has("max_position_embeddings")
    ? fields.integer("max_position_embeddings", undefined) / trainedLength
    : undefined;
  const factor = rope.number("factor", type === "yarn" ? ofLengths : undefined, POSITIVE);
  const scaling = { type, factor, trainedLength, ramp: [1, 4], gain: 1, wholePairs: true } as const;
  if (type !== "yarn" && type !== "llama3") return scaling;
  const [slow, fast, [low, high]] = RAMPS[type];
  const ramp = [rope.number(slow, low, POSITIVE), rope.number(fast, high, POSITIVE)] as const;
  if (ramp[0] > ramp[1]) throw rope.error(fast, `must be at least ${slow} = ${ramp[0]}`);
  if (type === "llama3") return { ...scaling, ramp };
  return { ...scaling, ramp, gain: readGain(rope, factor), wholePairs: rope.boolean("truncate", true) };
}

/** Tokens of a text before it was scaled. Where both objects say it, the config's own field counts, as with transformers. */
function readLength(fields: ConfigFields, rope: ConfigFields, type: RotaryScaling["type"]): number {
  const key = "original_max_position_embeddings";
  const owner = fields.has(key) ? fields : rope;
  if (type !== "dynamic" && owner.has(key)) return owner.integer(key, undefined);
  return fields.integer("max_position_embeddings", undefined);
}

function readGain(rope: ConfigFields, factor: number): number {
  if (rope.has("attention_factor")) return rope.number("attention_factor", undefined, POSITIVE);
  const [one, all] = [rope.number("mscale", 0, { min: 0 }), rope.number("mscale_all_dim", 0, { min: 0 })];
  return one > 0 && all > 0 ? yarnGain(factor, one) / yarnGain(factor, all) : yarnGain(factor);
}

/** Inverse of `readRope`: `rope_parameters`, and the length that some kinds have beside them. */
export function writeRope({
  rotaryBase,
  rotaryScaling,
}: AttentionMixerConfig): JsonObject & { rope_parameters: JsonObject } {
  const rope = { rope_theta: rotaryBase, rope_type: rotaryScaling?.type ?? "default" };
  if (rotaryScaling === undefined) return { rope_parameters: rope };
  const { type, factor, trainedLength, ramp, gain, wholePairs } = rotaryScaling;
  const scaled = { ...rope, factor };
  if (type === "linear" || type === "dynamic")
    return { rope_parameters: scaled, ...(type === "dynamic" ? { max_position_embeddings: trainedLength } : {}) };
  const [slow, fast] = RAMPS[type];
  return {
    rope_parameters: {
      ...scaled,
      original_max_position_embeddings: trainedLength,
      [slow]: ramp[0],
      [fast]: ramp[1],
      ...(type === "yarn" ? { attention_factor: gain, truncate: wholePairs } : {}),
    },
  };
}
