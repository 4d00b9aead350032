import { linear, rmsNorm, setBackend, split, stopBackend } from "@statespace/core";
import { causalConv1dStep, selectiveScanStep } from "@statespace/core/ops";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const [k, d, n, r] = [64, 64, 4, 8];

const spec: FusionCase = {
  inputs: {
    x: [1, k],
    scale: [k],
    taps: [d, 4],
    bias: [d],
    conv: [1, 3, d],
    A: [d, n],
    D: [d],
    deltaBias: [d],
    state: [1, d, n],
  },
  packed: { inProj: [2 * d, k], xProj: [r + 2 * n, d], dtProj: [d, r] },
  values: { A: (value) => -1 - Math.abs(value), scale: (value) => 0.1 * value },
  terms: k * d,
  ops({ x, scale, inProj, taps, bias, conv, xProj, dtProj, A, D, deltaBias, state }) {
    const normed = rmsNorm({ x: x!, weight: scale! }, { eps: 1e-3 }).y;
    const both = linear({ x: normed, weight: inProj! }).y;
    const [input, z] = split(both, [d, d]);
    const u = causalConv1dStep({ x: input!, state: conv!, weight: taps!, bias: bias! }, { silu: true }).y;
    const projected = linear({ x: u, weight: xProj! }).y;
    const [low, B, C] = split(projected, [r, n, n]);
    const delta = linear({ x: low!, weight: dtProj! }).y;
    const { y } = selectiveScanStep(
      { u, delta, A: A!, B: B!, C: C!, D: D!, z: z!, deltaBias: deltaBias!, state: state! },
      { deltaSoftplus: true },
    );
    return [normed, both, u, projected, delta, y];
  },
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("a Mamba block up to its scan's step", () => {
  it("is two dispatches", () => judgeFusion(spec, 2));
  it.each(["f16", "bf16"] as const)("is two with weights of %s", (format) => judgeFusion({ ...spec, format }, 2));
  it.each(["q8", "q4"] as const)("is two with weights of %s, delta's left wide", (format) => {
    const { dtProj, ...packed } = spec.packed!;
    return judgeFusion({ ...spec, inputs: { ...spec.inputs, dtProj: dtProj! }, packed, format }, 2);
  });
});
