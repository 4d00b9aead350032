import { packWeight, tensor, type BackendChoice, type PackedFormat, type Tensor } from "@statespace/core";

/** Whether the rows of a matrix divide into a format's blocks. */
export function fitsFormat(shape: readonly number[], format: PackedFormat): boolean {
  return shape.length === 2 && (format === "f16" || format === "bf16" || shape[1]! % 32 === 0);
}

/** Values on a backend, packed where there is a format. */
export function withFormat(
  values: Float32Array,
  shape: readonly number[],
  format: PackedFormat | undefined,
  backend: BackendChoice,
): Tensor {
  return format === undefined ? tensor(values, shape, { backend }) : packWeight(values, shape, format, { backend });
}
