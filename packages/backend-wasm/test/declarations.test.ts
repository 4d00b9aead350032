import { describe, expect, it } from "vitest";
import { cCalls, cTable, tsModule } from "../scripts/callers.ts";
import { argumentsOf, readDeclarations } from "../scripts/declarations.ts";
import type { TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../src/index.ts";
import { call, sizes } from "../src/kernels.gen.ts";

const SOURCES = {
  "blend.c": `#include "blend.h"
/** KERNEL(ghost, In x) of a comment is none. */
KERNEL(blend, Out y, Blend s, Space workspace, List axes) { (void)y; }
#define HALF_OF(name, expression)          \\
  KERNEL(name, Out y, In x, long count) { \\
    expression;                            \\
  }
HALF_OF(halfUp, y[0] = x[0])
HALF_OF(halfDown, y[0] = -x[0])
`,
  "blend.h": `enum { TILE = 4, WIDE = 2 * TILE, NEXT };
typedef struct { In u, v; /* [l] */ MaybeIn bias; long l; float factor; Flag turned; } Blend;
typedef struct { const float *raw; } Other;
SIZE(tiles, long l) { return ceilDivide(l, TILE); }
SIZE(room, long l) { return tiles(l) * maxLong(WIDE, 3) + ((l + 7) & ~7L); }
`,
};

describe("what the build reads from C", () => {
  const declarations = readDeclarations(SOURCES);

  it("kernels with the fields of their structs, macros that make several", () => {
    expect(declarations.kernels.map(({ name, family }) => [name, family])).toEqual([
      ["blend", undefined],
      ["halfUp", "HALF_OF"],
      ["halfDown", "HALF_OF"],
    ]);
    expect(
      argumentsOf(declarations.kernels[0]!)
        .map(({ name, kind }) => `${name} ${kind}`)
        .join(", "),
    ).toBe(
      "y tensor, u tensor, v tensor, bias maybe, l integer, factor float, turned flag, workspace tensor, axes list",
    );
  });

  it("constants and sizes", () => {
    expect(Object.fromEntries(declarations.constants)).toEqual({ TILE: 4, WIDE: 8, NEXT: 9 });
    expect(tsModule(declarations)).toContain(
      "room: (l: number): number => sizes.tiles(l) * Math.max(8, 3) + ((l + 7) & ~7)",
    );
  });

  it("makes both ends of a call in one order of words", () => {
    const c = cCalls(declarations.kernels.slice(0, 1));
    expect(c).toContain(".u = (In)words[1], .v = (In)words[2], .bias = (MaybeIn)words[3], .l = (long)words[4]");
    expect(c).toContain("blend(thread, threads, (Out)words[0], s, (Space)words[7], words + 8);");
    expect(tsModule(declarations)).toContain(
      `[on.at(v.y), on.at(v.u), on.at(v.v), on.maybeAt(v.bias), v.l, floatWord(v.factor), v.turned ? 1 : 0, on.at(v.workspace), ...v.axes]`,
    );
    expect(cTable(declarations.kernels)).toContain("{blendCall, halfUpCall, halfDownCall}");
  });

  it.each([
    ["a parameter of no known type", "KERNEL(k, double x) {}", /KERNEL\(k\): "double x"/],
    ["a name that two arguments bear", "KERNEL(k, In x, long x) {}", /two arguments are called x/],
    ["a division, which TypeScript does otherwise", "SIZE(s, long l) { return l / 2; }", /SIZE\(s\): "l \/ 2"/],
    ["an enumerator with two values", "enum { A = 1 };\nenum { A = 2 };", /the enumerator A is two things/],
  ])("refuses %s", (_, text, message) => {
    expect(() => readDeclarations({ "x.c": text })).toThrow(message);
  });

  it("refuses a SIZE of an unknown name", () => {
    const found = readDeclarations({ "x.c": "SIZE(s, long l) { return l * MISSING; }" });
    expect(() => tsModule(found)).toThrow(/what is MISSING/);
  });
});

describe("the callers of this package", () => {
  it("take every argument by name, and no other", () => {
    const words: (readonly number[])[] = [];
    const backend = {
      at: ({ dataId }: TensorInfo) => (dataId as { address: number }).address,
      maybeAt: () => 0,
      atPacked: () => 0,
      call: (_: string, args: readonly number[]) => words.push(args),
    } as unknown as WasmBackend;
    const tensor = (address: number): TensorInfo => ({ dataId: { address }, shape: [4], dtype: "float32" });
    call.clip(backend, { max: 1, y: tensor(64), from: tensor(128), min: -1, count: 4 }, 4);
    expect(words).toEqual([[64, 128, 4, -1082130432, 1065353216]]);
    const refused = (): void => {
      // @ts-expect-error: `max` is missing
      call.clip(backend, { y: tensor(64), from: tensor(128), min: -1, count: 4 }, 4);
      // @ts-expect-error: `form` is misspelt
      call.clip(backend, { y: tensor(64), form: tensor(128), min: -1, max: 1, count: 4 }, 4);
      // @ts-expect-error: an address is no tensor
      call.clip(backend, { y: 64, from: tensor(128), min: -1, max: 1, count: 4 }, 4);
    };
    expect(refused).toThrow(TypeError); // at the latest here; the types say it before
  });

  it("share sizes with the kernels", () => {
    expect(sizes.outerFloats(5, 7, 1, 1)).toBe(2 * 16 * 2 * (5 + 8) + 19 * 5 * 8);
    expect(sizes.scanBackFloats(2, 17, 1, 5)).toBe(2 * 2 * 17 * 5 + 32 * (4 + 2) * 5 * 16);
  });
});
