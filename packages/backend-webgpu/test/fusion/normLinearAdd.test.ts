import { add, linear, rmsNorm, setBackend, stopBackend } from "@statespace/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const spec: FusionCase = {
  inputs: { x: [1, 64], scale: [64], residual: [1, 48] },
  packed: { weight: [48, 64] },
  terms: 130,
  ops({ x, scale, weight, residual }) {
    const normed = rmsNorm({ x: x!, weight: scale! }, { eps: 1e-3 }).y;
    const { y } = linear({ x: normed, weight: weight! });
    return [normed, y, add(y, residual!)];
  },
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("rmsNorm, linear and add", () => {
  it("are one dispatch", () => judgeFusion(spec, 1));
  it("are two where something else is added: the norm and the product", () =>
    judgeFusion(
      {
        ...spec,
        ops({ x, scale, weight, residual }) {
          const normed = rmsNorm({ x: x!, weight: scale! }, { eps: 1e-3 }).y;
          return [normed, linear({ x: normed, weight: weight! }).y, add(residual!, residual!)];
        },
      },
      2,
    ));
});
