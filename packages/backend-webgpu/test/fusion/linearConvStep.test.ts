import { linear, setBackend, split, stopBackend } from "@statespace/core";
import { causalConv1dStep } from "@statespace/core/ops";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

/** The convolution of part `which` of the product. */
const projectThenConvolve = (which: number, silu: boolean): FusionCase["ops"] =>
  function ({ x, weight, taps, bias, state }) {
    const { y } = linear({ x: x!, weight: weight! });
    const input = split(y, [32, 32])[which]!;
    return [y, causalConv1dStep({ x: input, state: state!, weight: taps!, bias: bias! }, { silu }).y];
  };

const spec: FusionCase = {
  inputs: { x: [1, 64], taps: [32, 4], bias: [32], state: [1, 3, 32] },
  packed: { weight: [64, 64] },
  terms: 64 * 4,
  ops: projectThenConvolve(0, true),
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("linear and causalConv1dStep", () => {
  it("are one dispatch, which changes the state", () => judgeFusion(spec, 1));
  it("are one without an activation", () => judgeFusion({ ...spec, ops: projectThenConvolve(0, false) }, 1));
  it("are one where the convolution reads the product from its middle on", () =>
    judgeFusion({ ...spec, ops: projectThenConvolve(1, true) }, 1));
  it("stay two where the convolution reads something else", () =>
    judgeFusion(
      {
        ...spec,
        inputs: { ...spec.inputs, other: [1, 32] },
        ops: ({ x, weight, taps, state, other }) => [
          linear({ x: x!, weight: weight! }).y,
          causalConv1dStep({ x: other!, state: state!, weight: taps! }, { silu: true }).y,
        ],
      },
      2,
    ));
  it("stay apart for two rows, whose parts are copied out", () =>
    judgeFusion({ ...spec, inputs: { ...spec.inputs, x: [2, 64], state: [2, 3, 32] } }, 4));
});
