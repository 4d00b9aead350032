import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import type { ConfigFields } from "../../config/fields.ts";
import { Schema } from "../../config/schema.ts";

const scalingFields = {
  type: { type: "choice", choices: ["linear", "dynamic", "yarn", "llama3"], doc: "how frequencies change" },
  factor: { type: "number", min: 0, above: true, max: 1e6, doc: "by how much the text may be longer" },
  trainedLength: { type: "integer", default: 8192, doc: "tokens of a text before it was scaled" },
  ramp: {
    type: "interval",
    min: 0,
    max: 1e6,
    default: {
      text: "[1, 4] (llama3), [1, 32] (yarn)",
      of: (known: Known): readonly number[] => [1, known.is("type", "yarn") ? 32 : 4],
    },
    doc: "turns in the trained length between which frequencies go from scaled to unscaled",
  },
  gain: {
    type: "number",
    min: 0,
    above: true,
    max: 1e6,
    default: {
      text: "yarn: 1 + ln(factor) / 10; else 1",
      of: (known: Known): number => (known.is("type", "yarn") ? yarnGain(known.num("factor")) : 1),
    },
    doc: "factor on what is turned",
  },
  wholePairs: { type: "boolean", default: true, doc: "yarn: the ramp begins and ends at whole pairs" },
} as const;

/** How rotary positions are scaled for texts longer than those a model was trained on. */
export type RotaryScaling = Omit<ConfigOf<typeof scalingFields>, "dModel">;
type Scaling = ConfigOf<typeof scalingFields>;

/** The settings of a scaling. */
const scalingSchema: Schema<Scaling, GivenOf<typeof scalingFields>> = new Schema("rotaryScaling", [scalingFields]);

/** 1 + m ln(factor) / 10, of yarn (arXiv 2309.00071, section 3.4). */
export function yarnGain(factor: number, m = 1): number {
  return factor <= 1 ? 1 : 1 + 0.1 * m * Math.log(factor);
}

/** Reads a scaling. @throws FormatError naming what is wrong. */
export function readScaling(fields: ConfigFields): RotaryScaling {
  const { dModel: _, ...scaling } = scalingSchema.read(fields, 1);
  fields.rejectUnknown();
  return scaling;
}

/**
 * Angles by which the pairs of a vector turn a position, [dim / 2]: base^(-2i / dim), scaled.
 * @param length tokens of the text, which `dynamic` depends on
 * @source `linear`: arXiv 2306.15595; `dynamic`: NTK-aware scaling, as transformers has it; `yarn`: arXiv 2309.00071; `llama3`: Llama 3.1's code.
 */
export function rotaryFrequencies(dim: number, base: number, scaling?: RotaryScaling, length = 0): Float64Array {
  const pairs = dim / 2;
  const plain = Float64Array.from({ length: pairs }, (_, i) => base ** (-i / pairs));
  switch (scaling?.type) {
    case undefined:
      return plain;
    case "linear":
      return plain.map((frequency) => frequency / scaling.factor);
    case "dynamic": {
      const { factor, trainedLength } = scaling;
      if (length <= trainedLength || dim === 2) return plain;
      const longer = base * ((factor * length) / trainedLength - (factor - 1)) ** (dim / (dim - 2));
      return rotaryFrequencies(dim, longer);
    }
    case "yarn":
      return yarn(plain, base, scaling);
    case "llama3":
      return plain.map((frequency) => {
        const [low, high] = scaling.ramp;
        const turns = (scaling.trainedLength * frequency) / (2 * Math.PI);
        return blend(frequency, scaling.factor, low === high ? Number(turns >= low) : (turns - low) / (high - low));
      });
  }
}

/** Pairs that turn often in the trained length stay; those that do not turn once are scaled; between them the pair's number decides. */
function yarn(
  plain: Float64Array,
  base: number,
  { factor, trainedLength, ramp, wholePairs }: RotaryScaling,
): Float64Array {
  const dim = 2 * plain.length;
  const pairOf = (turns: number): number =>
    (dim * Math.log(trainedLength / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [often, seldom] = [pairOf(ramp[1]), pairOf(ramp[0])];
  const from = Math.max(0, wholePairs ? Math.floor(often) : often);
  const until = Math.min(dim - 1, wholePairs ? Math.ceil(seldom) : seldom);
  const width = from === until ? 0.001 : until - from;
  return plain.map((frequency, i) => blend(frequency, factor, 1 - (i - from) / width));
}

/** A share of a frequency as it is, the rest divided. */
function blend(frequency: number, factor: number, unscaled: number): number {
  const share = Math.min(1, Math.max(0, unscaled));
  return share * frequency + ((1 - share) * frequency) / factor;
}
