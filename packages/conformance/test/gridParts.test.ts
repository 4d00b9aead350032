import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  capture,
  softmax,
  readFloats,
  selectiveScan,
  setBackend,
  tensor,
  writeInto,
  type Tensor,
} from "@statespace/core";
import { opTable } from "@statespace/core/backend";
import { beforeAll, describe, expect, it } from "vitest";
import { opCases } from "../src/cases/index.ts";
import { Draw, type OpCase } from "../src/cases/opCase.ts";
import { checkForward, checkGradients } from "../src/harness/checkCase.ts";
import { describeOn } from "../src/harness/describeOn.ts";

const elementsOf = (c: OpCase): number =>
  Object.values(c.make(new Draw(1))).reduce((n, { data }) => n + data.length, 0);

/** Ops whose grids have every form there is: along one axis, folded, by rows, columns and chunks. */
const OPS = ["add", "linear", "softmax", "selectiveScan", "causalConv1d", "causalAttention", "gather"];

/** Of each, the largest case of few workgroups: each part is a pipeline of its own. */
const cases = OPS.map((name) =>
  opCases
    .filter((c) => c.op === opTable[name] && elementsOf(c) <= 300)
    .reduce((a, b) => (elementsOf(b) > elementsOf(a) ? b : a)),
);

await describeOn({ ...webGpuBackend({ maxGrid: 5 }), name: "webgpu-parts" }, () => {
  beforeAll(() => setBackend("webgpu-parts"));
  describe("dispatches in parts of five workgroups along each axis", () => {
    it.each(cases.map((c) => [c.op.spec.name, c.name, c] as const))("%s, %s", async (_, __, c) => {
      const verdicts = [...(await checkForward(c)), ...(await checkGradients(c))];
      expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
    });

    it("replayed", async () => {
      const x = tensor(
        Float32Array.from({ length: 40 }, (_, i) => i % 7),
        [20, 2],
      );
      const graph = capture(() => softmax(x));
      writeInto(x, new Float32Array(40).fill(3));
      graph.replay();
      expect(await readFloats(graph.result)).toEqual(new Float32Array(40).fill(0.5));
      graph.dispose();
    });
  });
});

await describeOn(webGpuBackend(), () => {
  beforeAll(() => setBackend("webgpu"));
  const b = 65_537;
  const filled = (value: number, ...shape: number[]): Tensor =>
    tensor(new Float32Array(shape.reduce((n, extent) => n * extent, 1)).fill(value), shape);

  it("a scan of more rows than a dispatch has workgroups", async () => {
    const { y } = selectiveScan({
      u: filled(2, b, 1, 1),
      delta: filled(1, b, 1, 1),
      A: filled(-1, 1, 1),
      B: filled(3, b, 1, 1),
      C: filled(4, b, 1, 1),
    });
    expect(await readFloats(y)).toEqual(new Float32Array(b).fill(24));
  });
});
