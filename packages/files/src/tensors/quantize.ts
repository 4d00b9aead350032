import { ArgumentError } from "@statespace/core";
import { packFromF32 } from "@statespace/core/backend";
import { BLOCK_TYPES } from "./blockTypes.ts";
import { fromFloat32Array } from "./convert.ts";
import { quantizeQ4K, quantizeQ6K } from "./quantizeK.ts";

/** A type that `quantize` makes. */
export type QuantizedType = "F32" | "F16" | "BF16" | "Q8_0" | "Q4_0" | "Q4_K" | "Q6_K";

/**
 * Values as a type stores them, each block rounded to what is nearest as far as the type's scales allow.
 * Shares memory with `values` for F32.
 * Errors: {@link ArgumentError} for values that are no whole blocks, or that no scale takes.
 */
export function quantize(type: QuantizedType, values: Float32Array): Uint8Array {
  if (type === "F32" || type === "F16" || type === "BF16") return fromFloat32Array(values, type);
  const { elements, bytes } = BLOCK_TYPES[type];
  if (values.length % elements !== 0)
    throw new ArgumentError(`quantize: values of ${type} must be whole blocks of ${elements}, got ${values.length}`);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new ArgumentError(`quantize: values of ${type} must be finite, got ${values[wrong]} at ${wrong}`);
  if (type === "Q8_0") return packFromF32(values, [values.length], "q8");
  if (type === "Q4_0") return packFromF32(values, [values.length], "q4");
  const out = new Uint8Array((values.length / elements) * bytes);
  const one = type === "Q4_K" ? quantizeQ4K : quantizeQ6K;
  for (let block = 0; block < values.length / elements; block++)
    one(values.subarray(block * elements, (block + 1) * elements), out.subarray(block * bytes, (block + 1) * bytes));
  return out;
}
