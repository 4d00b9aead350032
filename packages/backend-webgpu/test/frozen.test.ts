import { keep, readFloats, setBackend, stopBackend, sum, tensor, valueAndGrads, type Tensor } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { causalConv1d, layerNorm, mul, rmsNorm, ssdScan } from "@statespace/core/ops";
import { afterAll, beforeAll, expect, it } from "vitest";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

const drawn = (seed: number, ...shape: number[]): Tensor =>
  keep(
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i)),
      shape,
    ),
  );

interface Case {
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Stays as it is. */
  readonly frozen: readonly string[];
  run(inputs: Readonly<Record<string, Tensor>>): Tensor;
}

const cases: Readonly<Record<string, () => Case>> = {
  rmsNorm: () => ({
    inputs: { x: drawn(1, 6, 40), weight: drawn(2, 40) },
    frozen: ["weight"],
    run: ({ x, weight }) => rmsNorm({ x: x!, weight: weight! }).y,
  }),
  layerNorm: () => ({
    inputs: { x: drawn(1, 6, 40), weight: drawn(2, 40), bias: drawn(3, 40) },
    frozen: ["weight", "bias"],
    run: ({ x, weight, bias }) => layerNorm({ x: x!, weight: weight!, bias: bias! }).y,
  }),
  causalConv1d: () => ({
    inputs: { x: drawn(1, 2, 9, 8), weight: drawn(2, 8, 4), bias: drawn(3, 8) },
    frozen: ["weight", "bias"],
    run: ({ x, weight, bias }) => causalConv1d({ x: x!, weight: weight!, bias: bias! }, { silu: true }).y,
  }),
  ssdScan: () => ({
    inputs: {
      x: drawn(1, 1, 20, 2, 4),
      dt: drawn(2, 1, 20, 2),
      A: keep(tensor([-1, -2], [2])),
      B: drawn(4, 1, 20, 1, 8),
      C: drawn(5, 1, 20, 1, 8),
      D: drawn(6, 2),
      dtBias: drawn(7, 2),
    },
    frozen: ["A", "D", "dtBias"],
    run: ({ x, dt, A, B, C, D, dtBias }) =>
      ssdScan({ x: x!, dt: dt!, A: A!, B: B!, C: C!, D: D!, dtBias: dtBias! }, { dtSoftplus: true }).y,
  }),
};

it.each(Object.keys(cases))(
  "%s: what is frozen gets no gradient, and the others the same to the last bit, in fewer dispatches",
  async (name) => {
    const { inputs, frozen, run } = cases[name]!();
    const backend = currentBackend() as WebGpuBackend;
    const moving = Object.keys(inputs).filter((input) => !frozen.includes(input));
    const grads = async (by: readonly string[]): Promise<{ values: Float32Array[]; dispatches: number }> => {
      const before = backend.counters.dispatches;
      const { value, grads: all } = valueAndGrads(
        () => {
          const y = run(inputs);
          return sum(mul(y, y));
        },
        by.map((input) => inputs[input]!),
      );
      const dispatches = backend.counters.dispatches - before;
      const values: Float32Array[] = [];
      for (const grad of all.slice(0, moving.length)) values.push(Float32Array.from(await readFloats(grad!)));
      for (const t of [value, ...all]) t?.dispose();
      return { values, dispatches };
    };
    const every = await grads([...moving, ...frozen]);
    const some = await grads(moving);
    expect(some.values).toEqual(every.values);
    expect(some.values.every((values) => values.some((v) => v !== 0))).toBe(true);
    expect(some.dispatches).toBeLessThan(every.dispatches);
    for (const t of Object.values(inputs)) t.dispose();
  },
);
