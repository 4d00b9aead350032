import { linear, setBackend, split, stopBackend, type Tensor } from "@statespace/core";
import { selectiveScanStep } from "@statespace/core/ops";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const [d, n, r] = [32, 16, 8];

/** xProj, dtProj and the step of `input`. */
const stepOf = (input: (inputs: Readonly<Record<string, Tensor>>) => Tensor): FusionCase["ops"] =>
  function (inputs) {
    const { x, xProj, dtProj, z, A, D, deltaBias, state } = inputs;
    const { y: projected } = linear({ x: x!, weight: xProj! });
    const [rank, B, C] = split(projected, [r, n, n]) as [Tensor, Tensor, Tensor];
    const { y: delta } = linear({ x: rank, weight: dtProj! });
    const { y } = selectiveScanStep(
      { u: input(inputs), delta, A: A!, B, C, D: D!, z: z!, deltaBias: deltaBias!, state: state! },
      { deltaSoftplus: true },
    );
    return [projected, delta, y];
  };

const spec: FusionCase = {
  inputs: {
    x: [1, d],
    other: [1, d],
    dtProj: [d, r],
    z: [1, d],
    A: [d, n],
    D: [d],
    deltaBias: [d],
    state: [1, d, n],
  },
  packed: { xProj: [r + 2 * n, d] },
  values: { A: (value) => -2 - value, dtProj: (value) => value / 8 },
  terms: 32 * 8 * 4,
  ops: stepOf(({ x }) => x!),
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("linear, linear and selectiveScanStep", () => {
  it("are one dispatch, which changes the state", () => judgeFusion(spec, 1));
  it.each(["q8", "q4"] as const)("are one with the first weight of %s", (format) =>
    judgeFusion({ ...spec, format }, 1),
  );
  it("are two where the step's input is not the first product's: dtProj and the step", () =>
    judgeFusion({ ...spec, ops: stepOf(({ other }) => other!) }, 2));
  it("are two where the weights are stored in other ways than any model's", () =>
    judgeFusion({ ...spec, format: "f16" }, 2));
});
