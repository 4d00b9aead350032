import { wasmBackend } from "@statespace/backend-wasm";
import { Draw, dtypeOf, opCases, type OpCase } from "@statespace/conformance/cases";
import * as core from "@statespace/core";
import * as makers from "@statespace/core/backend";
import { sizeOf } from "@statespace/core/math";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerTfBackend, tfOps } from "../src/index.ts";
import { tf, valuesOf } from "./tf.ts";

// The kernels are the same on every path, and so are their inputs: not one bit may differ from what the op gives without tfjs.
const wasm = registerTfBackend(wasmBackend({ threads: 2 }));
beforeAll(() => core.setBackend(wasmBackend({ threads: 2 })));
afterAll(async () => {
  await tf.setBackend("cpu");
  core.stopBackend("wasm");
});

type Named<T> = Readonly<Record<string, T>>;

/** Of each op the cases on arguments of the op itself; small ones, since only the way to the kernels is tried. */
const cases = opCases.filter((c) => c.face === undefined && elementsOf(c) <= 20_000);

function elementsOf(c: OpCase): number {
  return Object.values(c.make(new Draw(1))).reduce((sum, { data }) => sum + data.length, 0);
}

function arraysOf(
  c: OpCase,
): Named<{ shape: number[]; dtype: core.DType; values: Float32Array | Int32Array | Uint8Array }> {
  return Object.fromEntries(
    Object.entries(c.make(new Draw(1))).map(([name, { shape, data }]) => {
      const dtype = dtypeOf(c, name);
      const Type = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
      return [name, { shape: [...shape], dtype, values: Type.from(data) }];
    }),
  );
}

/** Weights that make one number of an op's float outputs. */
const weightsOf = (shape: readonly number[], i: number): Float32Array =>
  Float32Array.from(new core.Rng(100 + i).normals(sizeOf(shape)));

interface Outcome {
  readonly outputs: Named<number[]>;
  readonly grads: Named<number[]>;
}

/** Inputs that get a gradient in a case, none where the op has none. */
function differentiatedIn(c: OpCase): string[] {
  if (c.op.spec.flat || c.gradients === false) return [];
  const names = Object.keys(c.make(new Draw(1)));
  return names.filter((name) => (c.op.spec.differentiable as readonly string[]).includes(name));
}

function own(c: OpCase): Outcome {
  return core.tidy(() => {
    const make = (): Named<core.Tensor> =>
      Object.fromEntries(
        Object.entries(arraysOf(c)).map(([name, { shape, dtype, values }]) => [
          name,
          core.tensor(values, shape, dtype),
        ]),
      );
    const inputs = make();
    const outputs: Named<core.Tensor> = { ...(c.op.run(inputs, c.attrs) as Named<core.Tensor>) };
    const inPlace = (c.op.spec.inPlace ?? []) as readonly string[];
    const changed = Object.entries(inputs).filter(([name]) => inPlace.includes(name));
    const wanted = differentiatedIn(c);
    const fresh = make();
    const loss = (): core.Tensor =>
      Object.values(c.op.run(fresh, c.attrs) as Named<core.Tensor>)
        .map((y, i) => core.sum(core.mul(y, core.tensor(weightsOf(y.shape, i), y.shape))))
        .reduce((a, b) => core.add(a, b));
    const grads =
      wanted.length === 0
        ? []
        : core.valueAndGrads(
            loss,
            wanted.map((name) => fresh[name]!),
          ).grads;
    const read = (t: core.Tensor): number[] => Array.from(t.dataSync());
    return {
      outputs: Object.fromEntries([...Object.entries(outputs), ...changed].map(([name, t]) => [name, read(t)])),
      grads: Object.fromEntries(wanted.map((name, i) => [name, read(grads[i]!)])),
    };
  });
}

function throughTf(c: OpCase): Outcome {
  const op = tfOps[c.op.spec.name]! as (inputs: Named<tf.Tensor>, attrs?: object) => Named<tf.Tensor>;
  return tf.tidy(() => {
    const inputs: Named<tf.Tensor> = Object.fromEntries(
      Object.entries(arraysOf(c)).map(([name, { shape, dtype, values }]) => [name, tf.tensor(values, shape, dtype)]),
    );
    const outputs = op(inputs, c.attrs);
    const wanted = differentiatedIn(c);
    const loss = (...xs: tf.Tensor[]): tf.Tensor =>
      Object.values(op({ ...inputs, ...Object.fromEntries(wanted.map((name, i) => [name, xs[i]!])) }, c.attrs))
        .map((y, i) => tf.sum(tf.mul(y, tf.tensor(weightsOf(y.shape, i), y.shape))))
        .reduce((a, b) => tf.add(a, b));
    const grads = wanted.length === 0 ? [] : tf.grads(loss)(wanted.map((name) => inputs[name]!));
    return {
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, valuesOf(t)])),
      grads: Object.fromEntries(wanted.map((name, i) => [name, valuesOf(grads[i]!)])),
    };
  });
}

describe.each([
  ["tfjs's own cpu backend, through the host", "cpu"],
  ["a backend of ours, without a copy", wasm],
])("every op of the table on %s", (_, backend) => {
  beforeAll(async () => void (await tf.setBackend(backend)));
  for (const op of Object.values(makers.opTable)) {
    const ofOp = cases.filter((c) => c.op === op);
    it(`${op.spec.name}: outputs and gradients of ${ofOp.length} cases`, () => {
      const before = [tf.memory().numTensors, core.memory()];
      for (const c of ofOp) expect(throughTf(c), c.name).toEqual(own(c));
      expect([tf.memory().numTensors, core.memory()]).toEqual(before);
    });
  }
});

it("no op is left out for want of a case", () => {
  const covered = new Set(cases.map((c) => c.op.spec.name));
  expect(Object.keys(makers.opTable).filter((name) => !covered.has(name))).toEqual([]);
});
