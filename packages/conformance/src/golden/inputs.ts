import { FormatError, tensor, type Tensor } from "@statespace/core";
import { ndarray, type NdArray } from "@statespace/core/math";
import type { GoldenCase } from "./goldenCase.ts";

/** Rounding unit of float32. */
export const U32: number = 2 ** -24;

/** The `in.*` arrays of a case, without the prefix. */
export function inputArrays({ tensors }: GoldenCase): Record<string, NdArray> {
  const inputs = Object.entries(tensors).filter(([name]) => name.startsWith("in."));
  return Object.fromEntries(
    inputs.map(([name, { shape, data }]) => [name.slice(3), ndarray(shape, Float64Array.from(data))]),
  );
}

/** An array as a float32 tensor on the backend that is set. */
export function toTensor({ shape, data }: NdArray): Tensor {
  return tensor(Float32Array.from(data), shape);
}

/** An expected tensor. @throws FormatError when the case lacks it. */
export function expectedOf({ group, name, tensors }: GoldenCase, key: string): Float64Array {
  const found = tensors[key];
  if (found === undefined) throw new FormatError(`${group}/${name}: has no tensor ${key}`);
  return Float64Array.from(found.data);
}

/** Largest absolute value. */
export function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]!));
  return max;
}

/** Absolute values. */
export function absolute({ shape, data }: NdArray): NdArray {
  return ndarray(shape, data.map(Math.abs));
}

/** Entries of a record without those that are undefined, and only the named ones. */
export function pickKeys<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.filter((name) => record[name] !== undefined).map((name) => [name, record[name]!]));
}
