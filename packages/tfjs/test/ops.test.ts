import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import * as core from "@statespace/core";
import * as makers from "@statespace/core/backend";
import * as ops from "@statespace/core/ops";
import { sizeOf } from "@statespace/core/math";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { registerTfBackend, tfNameOf, tfOp, tfOps } from "../src/index.ts";
import { distance, tf, valuesOf } from "./tf.ts";

const wasm = registerTfBackend(wasmBackend({ threads: 2 }));
beforeEach(() => core.setBackend(cpuBackend()));
afterAll(async () => {
  await tf.setBackend("cpu");
  for (const name of ["wasm", "cpu"]) core.stopBackend(name);
});

const rng = new core.Rng(5);
const [b, l, d, n] = [2, 5, 3, 4];
const shapes = { u: [b, l, d], delta: [b, l, d], A: [d, n], B: [b, l, n], C: [b, l, n], D: [d] } as const;
const values = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => {
    const low = name === "A" ? -2 : name === "delta" ? 0.1 : -1;
    return [name, Float32Array.from(rng.uniforms(sizeOf(shape), low, name === "A" ? -0.1 : 1))];
  }),
) as Record<keyof typeof shapes, Float32Array>;
const names = Object.keys(shapes) as (keyof typeof shapes)[];
const scan = tfOp(core.selectiveScan);

/** sum(tanh(y)) + sum(lastState^2) of the scan and its gradients, by our own tape. */
async function ownGradients(): Promise<{ value: number; grads: number[][] }> {
  const inputs = names.map((name) => core.tensor(values[name], shapes[name]));
  const { value, grads } = core.valueAndGrads(() => {
    const [u, delta, A, B, C, D] = inputs as [
      core.Tensor,
      core.Tensor,
      core.Tensor,
      core.Tensor,
      core.Tensor,
      core.Tensor,
    ];
    const { y, lastState } = core.selectiveScan({ u, delta, A, B, C, D }, { returnLastState: true });
    return core.add(core.sum(core.tanh(y)), core.sum(core.square(lastState!)));
  }, inputs);
  const result = {
    value: (await core.readFloats(value))[0]!,
    grads: await Promise.all(grads.map(async (g) => [...(await core.readFloats(g!))])),
  };
  for (const t of [...inputs, value, ...grads]) t?.dispose();
  return result;
}

describe.each([
  ["tfjs's own cpu backend, through the host", "cpu"],
  ["a backend of ours, without a copy", wasm],
])("on %s", (_, backend) => {
  beforeEach(async () => void (await tf.setBackend(backend)));

  it("an op of two outputs between ops of tfjs has the gradient our own tape gives", async () => {
    const want = await ownGradients();
    const before = [tf.memory().numTensors, core.memory()];
    const { value, grads } = tf.tidy(() => {
      const made = names.map((name) => tf.tensor(values[name], [...shapes[name]]));
      const program = (...[u, delta, A, B, C, D]: tf.Tensor[]): tf.Scalar => {
        const { y, lastState } = scan({ u: u!, delta: delta!, A: A!, B: B!, C: C!, D: D! }, { returnLastState: true });
        return tf.add(tf.sum(tf.tanh(y)), tf.sum(tf.square(lastState!)));
      };
      const result = tf.valueAndGrads(program)(made);
      return { value: valuesOf(result.value)[0]!, grads: result.grads.map(valuesOf) };
    });
    expect(Math.abs(value - want.value)).toBeLessThan(2e-6 * Math.abs(want.value));
    grads.forEach((grad, i) => expect(distance(grad, want.grads[i]!), names[i]).toBeLessThan(5e-6));
    expect([tf.memory().numTensors, core.memory()]).toEqual(before);
  });

  it("an output that does not reach the loss, and inputs that are absent", () => {
    tf.tidy(() => {
      const made = names.map((name) => tf.tensor(values[name], [...shapes[name]]));
      const [u, delta, A, B, C] = made as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const grad = tf.grad((x: tf.Tensor) =>
        tf.sum(scan({ u: x, delta, A, B, C, D: undefined }, { returnLastState: true }).lastState!),
      );
      const got = grad(u);
      expect(got.shape).toEqual([b, l, d]);
      expect(valuesOf(got).some((x) => x !== 0)).toBe(true);
    });
  });

  it("trains variables with tf.train.adam: a Mamba-like layer of our ops and tfjs's", async () => {
    const linear = tfOp(core.linear);
    const rmsNorm = tfOp(core.rmsNorm);
    const crossEntropy = tfOp(ops.crossEntropy);
    const embedding = tfOp(core.embedding);
    const before = [tf.memory().numTensors, core.memory()];
    const normal = (...shape: number[]): tf.Variable =>
      tf.tidy(() =>
        tf.variable(
          tf.tensor(
            Float32Array.from(new core.Rng(shape.length).normals(sizeOf(shape)), (x) => 0.3 * x),
            shape,
          ),
        ),
      );
    const variables = {
      table: normal(7, 6),
      norm: normal(6),
      toB: normal(4, 6),
      toC: normal(4, 6),
      toDelta: normal(6, 6),
      ALog: normal(6, 4),
      head: normal(7, 6),
    };
    const ids = tf.tensor2d([1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5], [2, 6], "int32");
    const targets = tf.tensor2d([2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6], [2, 6], "int32");
    const loss = (): tf.Scalar => {
      const u = embedding({ ids, weight: variables.table }).y;
      const x = rmsNorm({ x: u, weight: variables.norm }).y;
      const project = (weight: tf.Tensor): tf.Tensor => linear({ x, weight }).y;
      const { y } = scan(
        {
          u: x,
          delta: project(variables.toDelta),
          A: tf.neg(tf.exp(variables.ALog)),
          B: project(variables.toB),
          C: project(variables.toC),
        },
        { deltaSoftplus: true },
      );
      return tf.mean(crossEntropy({ logits: linear({ x: tf.add(u, y), weight: variables.head }).y, targets }).losses);
    };
    const optimizer = tf.train.adam(0.05);
    const losses: number[] = [];
    for (let i = 0; i < 60; i++) losses.push(tf.tidy(() => valuesOf(optimizer.minimize(loss, true)!)[0]!));
    expect(losses[0]).toBeGreaterThan(1.5);
    expect(losses.at(-1)).toBeLessThan(0.1);
    const { value, grads } = tf.variableGrads(loss);
    expect(Object.keys(grads)).toHaveLength(7);
    tf.dispose([value, grads, ids, targets, Object.values(variables)]);
    optimizer.dispose();
    expect([tf.memory().numTensors, core.memory()]).toEqual(before);
  });

  it("what works in place gives new tensors, and leaves its inputs as they were", () => {
    tf.tidy(() => {
      const [param, m, v, grad] = [1, 0, 0, 2].map((x) => tf.tensor1d([x, x])) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const hyper = tf.tensor1d([0.1, 0.9, 0.999, 1e-8, 0, 0.1, 0.001, 0]);
      const out = tfOp(ops.adamW)({ param, m, v, grad, hyper });
      expect(valuesOf(out["param"]!)[0]).toBeCloseTo(0.9, 5);
      expect(valuesOf(out["m"]!)[0]).toBeCloseTo(0.2, 5);
      expect([param, m, v].map((t) => valuesOf(t)[0])).toEqual([1, 0, 0]);
    });
  });

  it("errors name the op as ever, and nothing is left", () => {
    const before = [tf.memory().numTensors, core.memory()];
    tf.tidy(() => {
      const x = tf.zeros([2, 3]);
      expect(() => tfOp(core.linear)({ x, weight: tf.zeros([4, 5]) })).toThrow(core.ShapeError);
      expect(() => tfOps["linear"]!({ x, weight: tf.zeros([4, 3]), more: x })).toThrow("linear: has no argument more");
      expect(() => tfOps["linear"]!({ x, weight: tf.zeros([4, 3]) }, { heads: 2 })).toThrow(
        "linear: has no attribute heads",
      );
    });
    expect([tf.memory().numTensors, core.memory()]).toEqual(before);
  });
});

it("every op of the table is there, by name", () => {
  expect(Object.keys(tfOps)).toEqual(Object.keys(makers.opTable));
  expect(tfOps["mul"]).toBe(tfOps["mul"]);
  expect("nothing" in tfOps).toBe(false);
});

it("a program of tfjs goes on as it was while our backends start, and data comes over when it is used", async () => {
  await tf.setBackend("cpu");
  const x = tf.tensor1d([1, 2, 3]);
  await core.setBackend(wasmBackend({ threads: 2 }));
  const before = makers.currentBackend().memory().tensors;
  const ours = core.tidy(() => core.mul(core.tensor([1, 2]), 3));
  expect(tf.getBackend()).toBe("cpu");
  expect(valuesOf(tf.tidy(() => tf.mul(x, 2)))).toEqual([2, 4, 6]);
  ours.dispose();
  await tf.setBackend(wasm);
  expect(wasm).toBe(tfNameOf("wasm"));
  expect(core.currentBackendName()).toBe("wasm");
  const moved = tf.tidy(() => tf.mul(x, 2));
  await tf.setBackend("cpu");
  expect(valuesOf(tf.tidy(() => tf.add(moved, x)))).toEqual([3, 6, 9]);
  tf.dispose([x, moved]);
  expect(makers.currentBackend().memory().tensors).toBe(before);
});
