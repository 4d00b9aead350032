import { describe, expect, it } from "vitest";
import { errorKind } from "../../src/components/errorKind.ts";
import { stroke } from "../../src/pages/hippo/drawing.ts";
import { isSoftware } from "../../src/shell/adapter.ts";
import { number, numbers } from "../../src/shell/codecs.ts";
import { isFetchFailure } from "../../src/workers/fetchFailure.ts";

describe("a pen", () => {
  it("marks every point on its way, in both directions", () => {
    const flat = Array.from({ length: 11 }, () => 0);
    expect(stroke(flat, { x: 0.1, y: 0 }, { x: 0.9, y: 0.8 }).map((y) => +y.toFixed(6))).toEqual([
      0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0,
    ]);
    expect(stroke(flat, { x: 0.5, y: 1 }, { x: 0.3, y: 0.5 }).map((y) => +y.toFixed(6))).toEqual([
      0, 0, 0, 0.5, 0.75, 1, 0, 0, 0, 0, 0,
    ]);
  });

  it("stays in the box", () => {
    expect(stroke([0, 0, 0], { x: -5, y: -9 }, { x: 7, y: 9 })).toEqual([-1, 0, 1]);
    expect(stroke([0, 0, 0], { x: 0.5, y: 0.3 }, { x: 0.5, y: 0.7 })).toEqual([0, 0.7, 0]);
  });
});

describe("what went wrong", () => {
  it.each([
    ["TypeError", "Cannot read properties of undefined (reading 'length')", "fault"],
    ["ReferenceError", "x is not defined", "fault"],
    ["RangeError", "toFixed() digits argument must be between 0 and 100", "fault"],
    ["RangeError", "Array buffer allocation failed", "memory"],
    ["RangeError", "Invalid typed array length: 4294967296", "memory"],
    ["SourceError", "config.json: Failed to fetch", "network"],
    ["ChunkError", "Failed to fetch dynamically imported module", "chunk"],
    ["toString", "a name that objects have", "other"],
  ])("%s (%s) is %s", (name, message, kind) => expect(errorKind({ name, message })).toBe(kind));
});

describe("a number in the address", () => {
  it.each([
    ["33", 32],
    ["35", 36],
    ["64", 64],
    ["4", 4],
    ["4.9", 4],
    ["65", undefined],
    ["", undefined],
    [" ", undefined],
    ["x", undefined],
    ["NaN", undefined],
  ])("%s on the grid 4, 8 ... 64 is %s", (text, value) => expect(number(4, 64, 4).parse(text)).toBe(value));

  it("keeps to the grid where its end is off it", () => expect(number(5, 12, 5).parse("12")).toBe(10));
  it("has no hole in a list", () => {
    expect(numbers.parse("1,,2")).toBeUndefined();
    expect(numbers.parse("1,-2.5")).toEqual([1, -2.5]);
  });
});

it.each([
  [{ vendor: "google", architecture: "swiftshader", device: "0xc0de", description: "" }, true],
  [{ vendor: "mesa", architecture: "", device: "", description: "llvmpipe (LLVM 15.0.6, 256 bits)" }, true],
  [{ vendor: "microsoft", architecture: "", device: "0x8c", description: "Microsoft Basic Render Driver" }, true],
  [{ vendor: "nvidia", architecture: "hopper", device: "", description: "", isFallbackAdapter: false }, false],
  [{ vendor: "apple", architecture: "metal-3", device: "", description: "" }, false],
  [{ vendor: "intel", architecture: "gen-12lp", device: "", description: "", isFallbackAdapter: true }, true],
])("%o: played by the processor is %s", (info, software) => expect(isSoftware(info)).toBe(software));

it.each([
  ["Failed to fetch dynamically imported module: http://host/assets/page.js", true],
  ["error loading dynamically imported module: http://host/assets/page.js", true],
  ["Importing a module script failed.", true],
  ["Unable to preload CSS for /assets/page.css", true],
  ["Cannot read properties of undefined (reading 'spec')", false],
])("an import that failed with “%s” is the network's fault: %s", (message, network) => {
  expect(isFetchFailure(new TypeError(message))).toBe(network);
  expect(isFetchFailure(message)).toBe(false);
});
