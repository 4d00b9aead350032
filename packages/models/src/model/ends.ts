import type { ConfigFields } from "../config/fields.ts";
import { DEFAULT_FRAMING, type FramingConfig } from "../sound/framing.ts";

/** Ids through a table, or vectors through a projection. */
export type EncoderConfig =
  | {
      readonly kind: "embedding";
      readonly vocabSize: number;
      readonly multiplier?: number;
      /**
       * Of nucleotides: the id of each id's complement. The model then reads both strands with the same weights, and what it answers of one is what it
       * answers of the other: logits of tokens turn with it, answers to whole sequences are the same.
       */
      readonly complement?: readonly number[];
    }
  | {
      readonly kind: "linear";
      readonly channels: number;
      /**
       * What becomes of values that are missing (NaN): they are refused, the default; are told to the model by a second set of channels, 1 where
       * there is a value; or lie on the line between their neighbours, at an end on a level with the nearest.
       */
      readonly missing?: Missing;
    };

/** See `EncoderConfig`. */
export type Missing = "refuse" | "mask" | "interpolate";

/** Channels that a linear encoder's input tensor has: with a mask, those of the values and then as many of 1 and 0. */
export function inputWidth({ channels, missing }: Extract<EncoderConfig, { kind: "linear" }>): number {
  return missing === "mask" ? 2 * channels : channels;
}

/**
 * What the model answers.
 * - `language`: logits of the next token, [b, l, v]; times `multiplier`, and bounded to ±`logitCap` by its tanh.
 * - `classification`: logits over classes, [b, classes], from the mean over tokens or the last one; with pooling `none` of each token, [b, l, classes].
 * - `regression`: values, [b, outputs]; with pooling `none` one answer a token, [b, l, outputs].
 * - `forecasting`: the next `horizon` values, from the last token, [b, horizon, channels]; with `quantiles` those of each value,
 *   [b, horizon, channels, quantiles].
 * - `denoising`: what the bins of each frame of sound are multiplied by, so that noise goes, [b, l, 2 bins]; the encoder takes the frames'
 *   spectra, 3 (window / 2 + 1) channels. See `Denoiser`.
 */
export type HeadConfig =
  | { readonly kind: "language"; readonly tie?: boolean; readonly multiplier?: number; readonly logitCap?: number }
  | { readonly kind: "classification"; readonly classes: number; readonly pooling?: "mean" | "last" | "none" }
  | { readonly kind: "regression"; readonly outputs: number; readonly pooling?: "mean" | "last" | "none" }
  | {
      readonly kind: "forecasting";
      readonly horizon: number;
      readonly channels: number;
      /** Ascending, between 0 and 1; 0.5 is the median. */
      readonly quantiles?: readonly number[];
    }
  | ({ readonly kind: "denoising" } & Partial<FramingConfig>);

/** Reads the start of a model. */
export function readEncoder(fields: ConfigFields): EncoderConfig {
  const kind = fields.choice("kind", ["embedding", "linear"] as const, "" as "embedding");
  const encoder: EncoderConfig =
    kind === "embedding"
      ? {
          kind,
          vocabSize: fields.integer("vocabSize", undefined),
          multiplier: fields.number("multiplier", 1),
          ...(fields.has("complement") && { complement: readComplement(fields) }),
        }
      : {
          kind,
          channels: fields.integer("channels", undefined),
          missing: fields.choice("missing", ["refuse", "mask", "interpolate"] as const, "refuse"),
        };
  fields.rejectUnknown();
  return encoder;
}

/** Reads its end. */
export function readHead(fields: ConfigFields): HeadConfig {
  const kind = fields.choice(
    "kind",
    ["language", "classification", "regression", "forecasting", "denoising"] as const,
    "" as "language",
  );
  const head = ((): HeadConfig => {
    switch (kind) {
      case "language": {
        const tie = fields.boolean("tie", false);
        const multiplier = fields.number("multiplier", 1);
        if (!fields.has("logitCap")) return { kind, tie, multiplier };
        return { kind, tie, multiplier, logitCap: fields.number("logitCap", undefined, { min: 0, above: true }) };
      }
      case "classification":
        return {
          kind,
          classes: fields.integer("classes", undefined),
          pooling: fields.choice("pooling", ["mean", "last", "none"] as const, "mean"),
        };
      case "regression":
        return {
          kind,
          outputs: fields.integer("outputs", undefined),
          pooling: fields.choice("pooling", ["mean", "last", "none"] as const, "mean"),
        };
      case "forecasting":
        return {
          kind,
          horizon: fields.integer("horizon", undefined),
          channels: fields.integer("channels", undefined),
          ...(fields.has("quantiles") && { quantiles: readQuantiles(fields) }),
        };
      case "denoising":
        return { kind, ...readFraming(fields) };
    }
  })();
  fields.rejectUnknown();
  return head;
}

function readFraming(fields: ConfigFields): FramingConfig {
  const window = fields.integer("window", DEFAULT_FRAMING.window, { min: 4, max: 65_536 });
  if (window % 2 !== 0) throw fields.error("window", `must be even, got ${window}`);
  const hop = fields.integer("hop", window / 2, { max: window / 2 });
  if (window % hop !== 0) throw fields.error("hop", `must divide the window of ${window} samples, got ${hop}`);
  return {
    sampleRate: fields.integer("sampleRate", DEFAULT_FRAMING.sampleRate),
    window,
    hop,
    compression: fields.number("compression", DEFAULT_FRAMING.compression, { min: 0, max: 1, above: true }),
  };
}

/** A list of ids, each the complement of its own complement. */
function readComplement(fields: ConfigFields): readonly number[] {
  const vocabSize = fields.integer("vocabSize", undefined);
  const ids = fields.integers("complement", [], { min: 0, max: vocabSize - 1 });
  if (ids.length !== vocabSize || ids.some((id, i) => ids[id] !== i))
    throw fields.error("complement", `must be ${vocabSize} ids, each the complement of its own complement`);
  return ids;
}

function readQuantiles(fields: ConfigFields): readonly number[] {
  const value = fields.value("quantiles");
  const levels = Array.isArray(value) ? value : [];
  const ascending = levels.every(
    (level, i) => typeof level === "number" && level > (i === 0 ? 0 : (levels[i - 1] as number)) && level < 1,
  );
  if (levels.length === 0 || levels.length > 1024 || !ascending)
    throw fields.error("quantiles", "must be a list of ascending numbers between 0 and 1");
  return levels as number[];
}
