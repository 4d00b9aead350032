import { linear, reshape, rmsNorm, setBackend, stopBackend } from "@statespace/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const spec: FusionCase = {
  inputs: { x: [1, 64], scale: [64], z: [1, 64] },
  packed: { weight: [48, 64] },
  terms: 130,
  ops({ x, scale, weight }) {
    const normed = rmsNorm({ x: x!, weight: scale! }, { eps: 1e-3 }).y;
    return [normed, linear({ x: normed, weight: weight! }).y];
  },
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("rmsNorm and linear", () => {
  it("are one dispatch", () => judgeFusion(spec, 1));
  it("are one without the norm's weight", () =>
    judgeFusion(
      {
        ...spec,
        ops({ x, weight }) {
          const normed = rmsNorm({ x: x! }, { eps: 1e-3 }).y;
          return [normed, linear({ x: normed, weight: weight! }).y];
        },
      },
      1,
    ));
  it.each([
    ["before the norm", false],
    ["after it", true],
  ])("are one with a gate %s", (_, normBeforeGate) =>
    judgeFusion(
      {
        ...spec,
        ops({ x, z, scale, weight }) {
          const normed = rmsNorm({ x: x!, weight: scale!, z: z! }, { normBeforeGate }).y;
          return [normed, linear({ x: normed, weight: weight! }).y];
        },
      },
      1,
    ),
  );
  it("stay two in groups", () =>
    judgeFusion(
      {
        ...spec,
        ops({ x, scale, weight }) {
          const normed = rmsNorm({ x: x!, weight: scale! }, { groupSize: 32 }).y;
          return [normed, linear({ x: normed, weight: weight! }).y];
        },
      },
      2,
    ));
  it.each([
    ["plain", {}],
    ["gated", { normBeforeGate: true }],
  ])("stay two where each head of the row has a norm of its own, %s", (kind, options) =>
    judgeFusion(
      {
        ...spec,
        inputs: { x: [1, 2, 32], scale: [32], z: [1, 2, 32] },
        ops({ x, z, scale, weight }) {
          const gate = kind === "gated" ? { z: z! } : {};
          const normed = rmsNorm({ x: x!, weight: scale!, ...gate }, options).y;
          return [normed, linear({ x: reshape(normed, [1, 64]), weight: weight! }).y];
        },
      },
      2,
    ),
  );
  it("stay two where the product reads something else", () =>
    judgeFusion(
      {
        ...spec,
        ops: ({ x, z, scale, weight }) => [rmsNorm({ x: x!, weight: scale! }).y, linear({ x: z!, weight: weight! }).y],
      },
      2,
    ));
});
