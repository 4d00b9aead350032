import { describe, expect, it } from "vitest";
import { DTypeError, ShapeError } from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { bindDims, parseSpec, type BoundDims } from "../../src/ops/shapes.ts";

const fake = (shape: number[], dtype = "float32"): Tensor => ({ shape, dtype }) as unknown as Tensor;
const bind = (specs: Record<string, string>, inputs: Record<string, Tensor | undefined>): BoundDims =>
  bindDims(
    "op",
    Object.entries(specs).map(([name, text]) => parseSpec(name, text)),
    inputs,
  );

describe("binding", () => {
  it("symbols, in the order of the arguments", () => {
    expect(bind({ x: "b l d", w: "d k" }, { x: fake([2, 16, 64]), w: fake([64, 4]) })).toEqual({
      dims: { b: 2, l: 16, d: 64, k: 4 },
      lead: [],
    });
  });
  it("leading axes, none included", () => {
    expect(bind({ x: "... d" }, { x: fake([2, 3, 4]) })).toEqual({ dims: { d: 4 }, lead: [2, 3] });
    expect(bind({ x: "... d" }, { x: fake([4]) })).toEqual({ dims: { d: 4 }, lead: [] });
    expect(bind({ ids: "int32 ..." }, { ids: fake([], "int32") })).toEqual({ dims: {}, lead: [] });
  });
  it("differences, numbers, scalars and absent arguments", () => {
    expect(bind({ w: "d k", s: "b k-1 d?" }, { w: fake([8, 4]), s: fake([2, 3, 8]) }).dims).toEqual({
      d: 8,
      k: 4,
      b: 2,
    });
    expect(bind({ h: "8", s: "?" }, { h: fake([8]), s: fake([]) })).toEqual({ dims: {}, lead: [] });
    expect(bind({ x: "d", z: "d?" }, { x: fake([3]), z: undefined })).toEqual({ dims: { d: 3 }, lead: [] });
  });
  it("alternatives", () => {
    expect(bind({ B: "b l n | b l g n" }, { B: fake([1, 2, 3]) }).dims).toEqual({ b: 1, l: 2, n: 3 });
    expect(bind({ B: "b l n | b l g n" }, { B: fake([1, 2, 3, 4]) }).dims).toEqual({ b: 1, l: 2, g: 3, n: 4 });
  });
});

describe("messages", () => {
  const table: [string, Record<string, string>, Record<string, Tensor>, string][] = [
    [
      "a known symbol differs",
      { x: "b l d", z: "b l d" },
      { x: fake([2, 16, 64]), z: fake([2, 64, 16]) },
      "op: z must be [b, l, d] = [2, 16, 64], got [2, 64, 16]",
    ],
    ["rank, nothing known", { x: "b l d" }, { x: fake([2, 16]) }, "op: x must be [b, l, d], got [2, 16]"],
    [
      "partly known",
      { x: "b d", w: "d k" },
      { x: fake([2, 8]), w: fake([7, 3]) },
      "op: w must be [d, k] = [8, k], got [7, 3]",
    ],
    [
      "a difference",
      { w: "d k", s: "b k-1 d" },
      { w: fake([8, 4]), s: fake([2, 4, 8]) },
      "op: s must be [b, k-1, d] = [b, 3, 8], got [2, 4, 8]",
    ],
    [
      "leading axes differ",
      { x: "... d", z: "... d" },
      { x: fake([2, 3, 4]), z: fake([3, 2, 4]) },
      "op: z must be [..., d] = [2, 3, 4], got [3, 2, 4]",
    ],
    [
      "neither alternative",
      { x: "b l", B: "b l n | b l g n" },
      { x: fake([2, 3]), B: fake([2, 4, 5]) },
      "op: B must be [b, l, n] = [2, 3, n] or [b, l, g, n] = [2, 3, g, n], got [2, 4, 5]",
    ],
    ["missing", { x: "b l", w: "l d" }, { x: fake([2, 3]) }, "op: w is missing; it must be [l, d] = [3, d]"],
    ["a fixed extent", { h: "8" }, { h: fake([7]) }, "op: h must be [8], got [7]"],
  ];
  it.each(table)("%s", (_, specs, inputs, message) => {
    expect(() => bind(specs, inputs)).toThrow(new ShapeError(message));
  });
  it("dtype", () => {
    expect(() => bind({ ids: "int32 b l" }, { ids: fake([2, 3]) })).toThrow(
      new DTypeError("op: ids must be int32, got float32"),
    );
    expect(() => bind({ x: "b l" }, { x: fake([2, 3], "bool") })).toThrow(
      new DTypeError("op: x must be float32, got bool"),
    );
  });
  it("one repeated symbol within an argument", () => {
    expect(() => bind({ A: "n n" }, { A: fake([3, 4]) })).toThrow(new ShapeError("op: A must be [n, n], got [3, 4]"));
  });
  it("arguments with the same alternatives take the same one", () => {
    const specs = { B: "b l n | b l g n", C: "b l n | b l g n" };
    expect(() => bind(specs, { B: fake([1, 2, 3, 4]), C: fake([1, 2, 4]) })).toThrow(
      new ShapeError("op: C must be [b, l, g, n] = [1, 2, 3, 4], got [1, 2, 4]"),
    );
    expect(() => bind(specs, { B: fake([1, 2, 4]), C: fake([1, 2, 1, 4]) })).toThrow(
      new ShapeError("op: C must be [b, l, n] = [1, 2, 4], got [1, 2, 1, 4]"),
    );
  });
});
