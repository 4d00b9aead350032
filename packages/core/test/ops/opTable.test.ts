import { describe, expect, expectTypeOf, it } from "vitest";
import { selectiveScan, type ssdScan, type Tensor } from "../../src/index.ts";
import { costOf, cutOf, kernelRooms, opTable, supportOf, type OpDeclaration } from "../../src/makers.ts";
import { selectiveScanStep, type OpAttrs, type OpInputs, type OpOutputs } from "../../src/ops/index.ts";
import { sizeOf } from "../../src/math/index.ts";

const f32 = (...shape: number[]): { shape: number[]; dtype: string } => ({ shape, dtype: "float32" });
const specs: readonly OpDeclaration[] = Object.values(opTable).map(({ spec }) => spec);

describe("types follow from the shapes", () => {
  it("of arguments, optional ones and outputs that an attribute switches on", () => {
    expectTypeOf<OpInputs<typeof selectiveScan>>().toExtend<{ u: Tensor; D?: Tensor | undefined }>();
    expectTypeOf<OpInputs<typeof selectiveScan>>().toHaveProperty("initialState");
    expectTypeOf<OpInputs<typeof selectiveScanStep>["state"]>().toEqualTypeOf<Tensor>();
    expectTypeOf<OpInputs<typeof selectiveScanStep>>().not.toHaveProperty("seqIdx");
    expectTypeOf<OpOutputs<typeof selectiveScan>["y"]>().toEqualTypeOf<Tensor>();
    expectTypeOf<OpOutputs<typeof selectiveScan>["lastState"]>().toEqualTypeOf<Tensor | undefined>();
    expectTypeOf<OpAttrs<typeof ssdScan>["chunkSize"]>().toEqualTypeOf<number | undefined>();
    // @ts-expect-error an argument that is missing
    expect(() => selectiveScan({})).toThrow("selectiveScan: u is missing; it must be [b, l, d]");
  });
});

describe("declarations", () => {
  it("have names, rooms and a gradient that names their own inputs", () => {
    for (const spec of specs) {
      expect(opTable[spec.name]!.spec, spec.name).toBe(spec);
      const inputs = Object.keys(spec.inputs);
      for (const name of [...spec.differentiable, ...(spec.inPlace ?? [])]) expect(inputs, spec.name).toContain(name);
      if (spec.inPlace) expect(spec.differentiable, spec.name).toEqual([]);
    }
  });
  it("of a scan give its step: shapes without l, the state in place, the same attributes but the scan's own", () => {
    expect(selectiveScanStep.spec.inputs).toMatchObject({ u: "b d", B: "b n | b g n", z: "b d?", state: "b d n" });
    expect(selectiveScanStep.spec.inPlace).toEqual(["state"]);
    expect(Object.keys(opTable["ssdScanStep"]!.spec.attrs)).toEqual(["dtSoftplus", "dtMin", "dtMax"]);
    expect(opTable["mamba3ScanStep"]!.spec.inPlace).toEqual(["state", "lastK", "lastV"]);
  });
});

describe("attributes", () => {
  it("that an op does not have are refused by name", () => {
    expect(() => opTable["linear"]!.run({}, { bias: true })).toThrow("linear: has no attribute bias (it has none)");
    expect(() => opTable["rmsNorm"]!.run({}, { epsilon: 1 })).toThrow(
      "rmsNorm: has no attribute epsilon (it has eps, groupSize, normBeforeGate)",
    );
  });
});

describe("costOf", () => {
  it("binds the extents itself", () => {
    const linear = opTable["linear"]!;
    expect(costOf(linear, { x: f32(3, 4, 8), weight: f32(5, 8) }).flops).toBe(2 * 12 * 5 * 8);
    expect(() => costOf(linear, { x: f32(3, 4, 7), weight: f32(5, 8) })).toThrow("linear: x must be [..., k]");
  });
});

describe("supportOf", () => {
  const of = (name: string, ...kernels: string[]): string[] =>
    Object.values(supportOf(Object.fromEntries(kernels.map((kernel) => [kernel, true])), opTable[name]!.spec));
  it("tells a kernel from a composition, and both from nothing", () => {
    expect(of("selectiveScan", "selectiveScan", "selectiveScanGrad")).toEqual(["kernel", "kernel"]);
    expect(of("selectiveScan", "selectiveScan")).toEqual(["kernel", "composed"]);
    expect(of("selectiveScan")).toEqual(["composed", "composed"]);
    expect(of("mul")).toEqual(["absent", "ops"]);
    expect(of("greater", "greater")).toEqual(["kernel", "flat"]);
    expect(of("sampleToken")).toEqual(["absent", "none"]);
  });
  it("knows the room of every kernel", () => {
    expect(kernelRooms().get("selectiveScanGrad")).toBe("selectiveScan");
    expect(kernelRooms().get("selectiveScanStep")).toBe("selectiveScan");
    expect(kernelRooms().get("exp")).toBe("unary");
    expect(kernelRooms().get("reshape")).toBeUndefined();
  });
});

describe("cutOf", () => {
  const scan = { u: f32(6, 9, 4), delta: f32(6, 9, 4), A: f32(4, 3), B: f32(6, 9, 3), C: f32(6, 9, 3), D: f32(4) };
  it("cuts a scan by its rows, and its gradient likewise, which adds up what went whole", () => {
    expect(cutOf("selectiveScan", scan, {})).toMatchObject({ lead: [6], width: 36, outputs: ["joined"] });
    const { inputs, outputs } = cutOf("selectiveScanGrad", { ...scan, dY: f32(6, 9, 4) }, {})!;
    expect(inputs).toEqual(["u", "delta", "B", "C", "z", "initialState", "seqIdx", "dY"]);
    expect(outputs).toEqual(["joined", "joined", "summed", "joined", "joined", "summed"]);
  });
  it("cuts by leading axes, adds up sums, and leaves whole what its op does not say", () => {
    expect(cutOf("sumSquares", { x: f32(5, 7) }, {})).toMatchObject({ lead: [5, 7], outputs: ["summed"] });
    expect(cutOf("linear", { x: f32(2, 3, 8), weight: f32(5, 8) }, {})).toMatchObject({ lead: [2, 3], inputs: ["x"] });
    expect(cutOf("ssdScan", {}, {})).toBeUndefined();
    expect(cutOf("embeddingGrad", { weight: f32(3, 2), ids: { shape: [4], dtype: "int32" } }, {})).toBeUndefined();
    expect(cutOf("transpose", { x: f32(3, 2) }, { perm: [1, 0] })).toBeUndefined();
  });
  it("gives rows as long as the rest of the widest array", () => {
    const cut = cutOf("linearGrad", { x: f32(6, 8), weight: f32(5, 8), dY: f32(6, 5) }, {})!;
    expect([cut.width, sizeOf(cut.lead), cut.inputs, cut.outputs]).toEqual([8, 6, ["x", "dY"], ["joined", "summed"]]);
  });
});
