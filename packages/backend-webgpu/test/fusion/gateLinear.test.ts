import { add, linear, mul, setBackend, silu, split, stopBackend } from "@statespace/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const spec: FusionCase = {
  inputs: { both: [1, 128], other: [1, 64], residual: [1, 48] },
  packed: { weight: [48, 64] },
  terms: 66,
  ops({ both, weight }) {
    const [up, gate] = split(both!, [64, 64]);
    const activated = silu(gate!);
    const gated = mul(up!, activated);
    return [activated, gated, linear({ x: gated, weight: weight! }).y];
  },
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("silu, mul and linear", () => {
  it("are one dispatch", () => judgeFusion(spec, 1));
  it.each(["f16", "q8", "q4"] as const)("are one with a weight of %s", (format) => judgeFusion({ ...spec, format }, 1));
  it("are one with a factor and the residual stream", () =>
    judgeFusion(
      {
        ...spec,
        ops({ both, weight, residual }) {
          const [up, gate] = split(both!, [64, 64]);
          const activated = silu(gate!);
          const gated = mul(activated, up!);
          const { y } = linear({ x: gated, weight: weight! });
          const scaled = mul(y, 0.5);
          return [activated, gated, y, scaled, add(residual!, scaled)];
        },
      },
      1,
    ));
  it("stay apart where the gate is squared", () =>
    judgeFusion(
      {
        ...spec,
        ops({ other, weight }) {
          const activated = silu(other!);
          const gated = mul(activated, activated);
          return [activated, gated, linear({ x: gated, weight: weight! }).y];
        },
      },
      3,
    ));
  it("stay apart where something else is multiplied", () =>
    judgeFusion(
      {
        ...spec,
        ops({ both, other, weight }) {
          const [up, gate] = split(both!, [64, 64]);
          const activated = silu(gate!);
          const gated = mul(up!, other!);
          return [activated, gated, linear({ x: gated, weight: weight! }).y];
        },
      },
      3,
    ));
});
