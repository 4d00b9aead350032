import { linear, rmsNorm, setBackend, split, stopBackend } from "@statespace/core";
import { causalConv1dStep } from "@statespace/core/ops";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

/** A block's beginning, with the convolution of part `which` of the product. */
const begin = (which: number): FusionCase["ops"] =>
  function ({ x, scale, weight, taps, bias, state }) {
    const normed = rmsNorm({ x: x!, weight: scale! }, { eps: 1e-3 }).y;
    const { y } = linear({ x: normed, weight: weight! });
    const input = split(y, [32, 32])[which]!;
    return [normed, y, causalConv1dStep({ x: input, state: state!, weight: taps!, bias: bias! }, { silu: true }).y];
  };

const spec: FusionCase = {
  inputs: { x: [1, 64], scale: [64], taps: [32, 4], bias: [32], state: [1, 3, 32] },
  packed: { weight: [64, 64] },
  terms: 64 * 4,
  ops: begin(0),
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("rmsNorm, linear and causalConv1dStep", () => {
  it("are one dispatch, which changes the state", () => judgeFusion(spec, 1));
  it.each(["f16", "q4"] as const)("are one with a weight of %s", (format) => judgeFusion({ ...spec, format }, 1));
  it("are one where the convolution reads another part", () => judgeFusion({ ...spec, ops: begin(1) }, 1));
});
