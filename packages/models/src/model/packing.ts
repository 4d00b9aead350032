import { ArgumentError, type PackedFormat } from "@statespace/core";
import { nearestName, PACKED_FORMATS } from "@statespace/core/backend";

/** Whether the rows of a matrix, or of a stack of them, divide into a format's blocks. */
export function fitsFormat(shape: readonly number[], format: PackedFormat): boolean {
  return shape.length >= 2 && (format === "f16" || format === "bf16" || shape.at(-1)! % 32 === 0);
}

/** What others call the formats. */
const ALIASES: Readonly<Record<string, string>> = {
  float32: "f32",
  fp32: "f32",
  float16: "f16",
  fp16: "f16",
  half: "f16",
  bfloat16: "bf16",
  int8: "q8",
  i8: "q8",
  q8_0: "q8",
  "8bit": "q8",
  int4: "q4",
  i4: "q4",
  q4_0: "q4",
  "4bit": "q4",
};

/**
 * Reads the format that weights are asked for in: `undefined` for the plain one, "f32", or where none is told.
 * @throws ArgumentError for one that is not known, naming those that are.
 */
export function readWeightFormat(caller: string, format: unknown): PackedFormat | undefined {
  if (format === undefined || format === "f32") return undefined;
  const found = PACKED_FORMATS.find((known) => known === format);
  if (found !== undefined) return found;
  const known = ["f32", ...PACKED_FORMATS];
  const name = String(format);
  const meant = ALIASES[name.toLowerCase()] ?? nearestName(name, known);
  throw new ArgumentError(
    `${caller}: weights must be one of ${known.join(", ")}, got ${JSON.stringify(format) ?? name}${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
  );
}
