import { add, linear, mul, setBackend, stopBackend } from "@statespace/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const spec: FusionCase = {
  inputs: { x: [1, 64], bias: [48], residual: [1, 48] },
  packed: { weight: [48, 64] },
  terms: 66,
  ops({ x, weight, bias, residual }) {
    const { y } = linear({ x: x!, weight: weight!, bias: bias! });
    return [y, add(residual!, y)];
  },
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("linear and add", () => {
  it("are one dispatch", () => judgeFusion(spec, 1));
  it.each(["f16", "bf16", "q8", "q4"] as const)("are one with a weight of %s", (format) =>
    judgeFusion({ ...spec, format }, 1),
  );
  it("are one with a factor on the product", () =>
    judgeFusion(
      {
        ...spec,
        ops({ x, weight, residual }) {
          const { y } = linear({ x: x!, weight: weight! });
          const scaled = mul(y, 0.246);
          return [y, scaled, add(residual!, scaled)];
        },
      },
      1,
    ));
  it("stay apart with a factor on what is added", () =>
    judgeFusion(
      {
        ...spec,
        ops({ x, weight, residual }) {
          const { y } = linear({ x: x!, weight: weight! });
          const scaled = mul(residual!, 0.246);
          return [y, scaled, add(scaled, y)];
        },
      },
      4,
    ));
  it("stay two where the sum is broadcast", () =>
    judgeFusion({ ...spec, inputs: { ...spec.inputs, residual: [1] } }, 2));
  it("stay two for two rows", () =>
    judgeFusion({ ...spec, inputs: { ...spec.inputs, x: [2, 64], residual: [2, 48] } }, 2));
  it("stay two where a row is not whole words of the weight", () =>
    judgeFusion({ ...spec, inputs: { ...spec.inputs, x: [1, 63] }, packed: { weight: [48, 63] } }, 2));
  it("stay two where the product is added to itself", () =>
    judgeFusion(
      {
        ...spec,
        ops({ x, weight }) {
          const { y } = linear({ x: x!, weight: weight! });
          return [y, add(y, y)];
        },
      },
      2,
    ));
  it("stay two where something else is added", () =>
    judgeFusion(
      {
        ...spec,
        ops: ({ x, weight, residual, bias }) => [linear({ x: x!, weight: weight! }).y, add(residual!, bias!)],
      },
      2,
    ));
});
