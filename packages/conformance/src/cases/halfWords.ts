import { toHalf } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";

/** Words of two halves each, of neighbours along the last axis. */
export function wordsOfFloats({ shape, data }: NdArray): NdArray {
  const words = Float64Array.from(
    { length: data.length / 2 },
    (_, i) => toHalf(data[2 * i]!) | (toHalf(data[2 * i + 1]!) << 16),
  );
  return ndarray([...shape.slice(0, -1), shape.at(-1)! / 2], words);
}
