import { Rng, tensor, tidy, valueAndGrads, sum, mul, add, type Tensor } from "@statespace/core";
import { type AnyOp, type NdArrays } from "@statespace/core/backend";
import { ndround32, ndzeros, type NdArray } from "@statespace/core/math";
import { expect } from "vitest";

/** One call of an op: float inputs as f64 (rounded to f32 here), int32 inputs named apart. */
export interface Call {
  readonly op: AnyOp;
  readonly floats: NdArrays;
  readonly ints?: NdArrays;
  readonly attrs?: Record<string, unknown>;
}

/** Random values in [low, high). */
export function random(rng: Rng, shape: readonly number[], low = -1, high = 1): NdArray {
  const out = ndzeros(shape);
  for (let i = 0; i < out.data.length; i++) out.data[i] = rng.uniform(low, high);
  return ndround32(out);
}

export function int32(shape: readonly number[], values: readonly number[]): NdArray {
  return { shape: [...shape], data: Float64Array.from(values) };
}

/** Tensors of a call. The caller disposes them, or works inside a tidy. */
export function upload({ floats, ints = {} }: Call): Record<string, Tensor> {
  return Object.fromEntries([
    ...Object.entries(floats).map(([name, x]) => [name, tensor(Float32Array.from(x.data), x.shape)]),
    ...Object.entries(ints).map(([name, x]) => [name, tensor(Int32Array.from(x.data), x.shape)]),
  ]) as Record<string, Tensor>;
}

function reference({ op, floats, ints, attrs }: Call, changed: NdArrays = {}): NdArrays {
  return op.spec.reference({ ...floats, ...ints, ...changed }, { ...op.spec.attrs, ...attrs });
}

/** Largest difference in units of the largest expected magnitude (at least `floor`). */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>, floor = 1e-30): number {
  expect(got.length).toBe(want.length);
  let largest = floor;
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    largest = Math.max(largest, Math.abs(want[i]!));
    worst = Math.max(worst, Math.abs(got[i]! - want[i]!));
    if (Number.isNaN(got[i]!) !== Number.isNaN(want[i]!)) return Number.NaN;
  }
  return worst / largest;
}

/** Every output, and every input the op changes in place, against the f64 reference. */
export function expectForward(call: Call, bound: number): void {
  tidy(() => {
    const inputs = upload(call);
    const got: Record<string, Tensor> = call.op.run(inputs, call.attrs);
    for (const [name, want] of Object.entries(reference(call))) {
      const result = got[name] ?? inputs[name]!;
      expect(result.shape, name).toEqual(want.shape);
      expect(relativeError(result.dataSync(), want.data), `${call.op.spec.name} ${name}`).toBeLessThan(bound);
    }
  });
}

/**
 * The gradient kernel against central differences of the f64 reference, for the loss sum over outputs of (weights * output).
 * Differences with step h = 1e-5 err by about h^2 |f'''| + 1e-16 |f| / h, below 1e-9 here; what is left is the backend's own rounding.
 */
export function expectGradients(call: Call, bound: number, through?: readonly string[]): void {
  const rng = new Rng(99);
  const outputs = Object.entries(reference(call)).filter(([name]) => through === undefined || through.includes(name));
  const weights = Object.fromEntries(outputs.map(([name, y]) => [name, random(rng, y.shape)]));
  const loss = (changed: NdArrays): number => {
    const result = reference(call, changed);
    return outputs.reduce(
      (total, [name]) => total + result[name]!.data.reduce((acc, y, i) => acc + y * weights[name]!.data[i]!, 0),
      0,
    );
  };
  tidy(() => {
    const inputs = upload(call);
    const names = call.op.spec.differentiable.filter((name) => inputs[name] !== undefined);
    const { grads } = valueAndGrads(
      () => {
        const got: Record<string, Tensor> = call.op.run(inputs, call.attrs);
        return outputs
          .map(([name]) => sum(mul(got[name]!, tensor(Float32Array.from(weights[name]!.data), weights[name]!.shape))))
          .reduce((a, b) => add(a, b));
      },
      names.map((name) => inputs[name]!),
    );
    names.forEach((name, i) => {
      const want = centralDifferences(call.floats[name]!, (x) => loss({ [name]: x }));
      expect(grads[i], `${name} has a gradient`).not.toBeNull();
      expect(relativeError(grads[i]!.dataSync(), want, 1e-3), `${call.op.spec.name} d${name}`).toBeLessThan(bound);
    });
  });
}

/** Gradient of f at x by central differences. */
export function centralDifferences(x: NdArray, f: (x: NdArray) => number, h = 1e-5): Float64Array {
  const at = { shape: x.shape, data: x.data.slice() };
  return x.data.map((value, i) => {
    at.data[i] = value + h;
    const above = f(at);
    at.data[i] = value - h;
    const below = f(at);
    at.data[i] = value;
    return (above - below) / (2 * h);
  });
}
