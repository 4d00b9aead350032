import { mul, Rng, sum, tensor, tidy, valueAndGrads, type Tensor } from "@statespace/core";
import { type NdArrays } from "@statespace/core/backend";
import { ndzeros, type NdArray } from "@statespace/core/math";
import { expect } from "vitest";
import { centralDifferences, random, relativeError } from "../opHarness.ts";

/** An array whose element at each index is `value(index)`. */
export function byIndex(shape: readonly number[], value: (index: readonly number[]) => number): NdArray {
  const out = ndzeros(shape);
  const index = shape.map(() => 0);
  for (let flat = 0; flat < out.data.length; flat++) {
    out.data[flat] = value(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return out;
}

/** Element of x at an index of a shape that x broadcasts to. */
export function at(x: NdArray, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  let flat = 0;
  x.shape.forEach((extent, axis) => (flat = flat * extent + (extent === 1 ? 0 : index[axis + lead]!)));
  return x.data[flat]!;
}

/** An op on float inputs: how tensors compute it, and how float64 loops do. */
export interface OpCase {
  readonly inputs: NdArrays;
  run(tensors: Readonly<Record<string, Tensor>>): Tensor;
  f64(arrays: NdArrays): NdArray;
  /** Largest error allowed, in units of the largest value. One rounding to f32 by default. */
  readonly forward?: number;
  /** The same for gradients, which compose up to about six rounded ops. */
  readonly gradient?: number;
  /** Inputs without a derivative. */
  readonly flat?: boolean;
}

/** Forward against float64, and every input's gradient against central differences of the float64 form. */
export function expectCase({ inputs, run, f64, forward = 2 ** -23, gradient = 2 ** -21, flat = false }: OpCase): void {
  const want = f64(inputs);
  const weights = random(new Rng(5), want.shape);
  const names = Object.keys(inputs);
  tidy(() => {
    const tensors = Object.fromEntries(
      names.map((name) => [name, tensor(Float32Array.from(inputs[name]!.data), inputs[name]!.shape)]),
    );
    const got = run(tensors);
    expect(got.shape).toEqual(want.shape);
    expect(relativeError(got.dataSync(), want.data), "forward").toBeLessThan(forward);
    if (flat) return;
    const upstream = tensor(Float32Array.from(weights.data), weights.shape);
    const { grads } = valueAndGrads(
      () => sum(mul(run(tensors), upstream)),
      names.map((name) => tensors[name]!),
    );
    names.forEach((name, i) => {
      const dx = centralDifferences(inputs[name]!, (x) =>
        f64({ ...inputs, [name]: x }).data.reduce((acc, y, j) => acc + y * weights.data[j]!, 0),
      );
      expect(grads[i]!.shape, name).toEqual(inputs[name]!.shape);
      expect(relativeError(grads[i]!.dataSync(), dx, 1e-2), `gradient of ${name}`).toBeLessThan(gradient);
    });
  });
}
