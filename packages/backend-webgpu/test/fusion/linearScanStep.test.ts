import { linear, setBackend, split, stopBackend, type Tensor } from "@statespace/core";
import { selectiveScanStep } from "@statespace/core/ops";
import { afterAll, beforeAll, describe, it } from "vitest";
import { webGpuBackend } from "../../src/index.ts";
import { judgeFusion, type FusionCase } from "./judgeFusion.ts";

const [d, n, r] = [32, 16, 8];

/** dtProj and the step; B and C from `bc`, or from behind dtProj's input. */
const stepFrom = (bc: (inputs: Readonly<Record<string, Tensor>>) => readonly Tensor[] | undefined): FusionCase["ops"] =>
  function (inputs) {
    const { projected, weight, u, z, A, D, deltaBias, state } = inputs;
    const [rank, B, C] = split(projected!, [r, n, n]) as [Tensor, Tensor, Tensor];
    const { y: delta } = linear({ x: rank, weight: weight! });
    const [ownB, ownC] = bc(inputs) ?? [B, C];
    const { y } = selectiveScanStep(
      { u: u!, delta, A: A!, B: ownB!, C: ownC!, D: D!, z: z!, deltaBias: deltaBias!, state: state! },
      { deltaSoftplus: true },
    );
    return [delta, y];
  };

const spec: FusionCase = {
  inputs: {
    projected: [1, r + 2 * n],
    u: [1, d],
    z: [1, d],
    A: [d, n],
    D: [d],
    deltaBias: [d],
    state: [1, d, n],
    bc: [2, n],
  },
  packed: { weight: [d, r] },
  values: { A: (value) => -2 - value },
  terms: 64,
  ops: stepFrom(() => undefined),
};

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

describe("linear and selectiveScanStep", () => {
  it("are one dispatch, which changes the state", () => judgeFusion(spec, 1));
  it.each(["f16", "bf16"] as const)("are one with a weight of %s", (format) => judgeFusion({ ...spec, format }, 1));
  it("stay two where B and C come from elsewhere", () =>
    judgeFusion({ ...spec, ops: stepFrom(({ bc }) => split(bc!, [1, 1], 0)) }, 2));
  it("stay two for a quantised projection", () =>
    judgeFusion(
      { ...spec, inputs: { ...spec.inputs, projected: [1, 96] }, packed: { weight: [d, 64] }, format: "q8", ops: wide },
      2,
    ));
});

/** As `stepFrom`, with a rank that q8 can hold. */
function wide({ projected, weight, u, A, state }: Readonly<Record<string, Tensor>>): Tensor[] {
  const [rank, B, C] = split(projected!, [64, n, n]) as [Tensor, Tensor, Tensor];
  const { y: delta } = linear({ x: rank, weight: weight! });
  return [delta, selectiveScanStep({ u: u!, delta, A: A!, B, C, state: state! }, { deltaSoftplus: true }).y];
}
