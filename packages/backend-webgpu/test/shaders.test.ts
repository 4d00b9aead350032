import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ArgumentError } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { generate, kernelRoot, shaderNames, shaderTexts } from "../scripts/embedShaders.ts";
import { specialise } from "../src/device/pipelines.ts";
import { requestGpu } from "../src/device/requestGpu.ts";
import { evaluate, unroll } from "../src/device/unroll.ts";
import { declarationOf } from "../src/shader/declaration.ts";
import { ShaderLibrary } from "../src/shader/library.ts";
import { allVariants, resolveShader } from "../src/shader/resolve.ts";
import type { AnyRequest } from "../src/shader/types.ts";
import { constantsKey, constantsOf, encodeParams, mapBuffers } from "../src/shader/checkRequest.ts";

// Dawn's null backend validates all of WGSL and executes nothing, so it needs no driver.
let device: GPUDevice;
const features = ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];
beforeAll(async () => {
  const gpu = await requestGpu(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = (await gpu.requestAdapter())!;
  device = await adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
});

async function messages(code: string): Promise<string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages: found } = await module.getCompilationInfo();
  await device.popErrorScope();
  return found.map(({ lineNum, message }) => `${code.split("\n")[lineNum - 1]}: ${message}`);
}

it("the embedded shaders are those of the .wgsl files", () => {
  expect(readFileSync(join(kernelRoot, "..", "shaders.gen.ts"), "utf8"), "stale: run pnpm build").toBe(generate());
});

const texts = shaderTexts();
const ways = shaderNames(texts).flatMap((name) =>
  allVariants(texts[name]!).map((variant) => ({ name, variant, way: Object.values(variant).join(" ") })),
);

it.each(ways)("$name $way is valid WGSL, as written and with its loops written out", async ({ name, variant }) => {
  const code = resolveShader(texts, name, variant);
  expect(await messages(code)).toEqual([]);
  expect(await messages(unroll(code))).toEqual([]);
});

// Branches that are not taken are checked too, and what is in range for one number of threads a channel may not be for another.
const threads = [4, 8, 16].flatMap((L) => (["packed", "apart"] as const).map((OPERANDS) => [L, OPERANDS] as const));
it.each(threads)("selectiveScan/backward is valid for %i threads a channel, operands %s", async (L, OPERANDS) => {
  const shader = new ShaderLibrary().load("selectiveScan/backward", { OPERANDS, SUMS: "subgroup" });
  expect(await messages(unroll(specialise(shader, { L }).code))).toEqual([]);
});

it.each([
  ["high", { PARTS: 2, PARTS_B: 2, BK: 32, SCALED_B: true }],
  ["high, of stored half floats", { PARTS: 2, PARTS_B: 1, BK: 32, SCALED_B: false }],
  ["medium", { PARTS: 1, PARTS_B: 1, BK: 64, SCALED_B: true }],
  ["medium, of stored half floats", { PARTS: 1, PARTS_B: 1, BK: 64, SCALED_B: false }],
] as const)("matMul/matrix is valid for precision %s", async (_, constants) => {
  const shader = new ShaderLibrary().load("matMul/matrix");
  expect(await messages(unroll(specialise(shader, constants).code))).toEqual([]);
});

it.each([1, 2])("matMul/halves of %i parts is valid for one operand and for two", async (PARTS) => {
  const shader = new ShaderLibrary().load("matMul/halves", { IO_A: "vector", IO_B: "scalar" });
  for (const HAS_B of [false, true])
    expect(await messages(unroll(specialise(shader, { PARTS, HAS_B, HELD: 3, WG: 256 }).code))).toEqual([]);
});

it("every binding of every shader is read off its text", () => {
  for (const { name, variant } of ways) {
    const code = resolveShader(texts, name, variant);
    const numbers = [...code.matchAll(/@binding\((\d+)\)/g)].map(([, number]) => Number(number));
    const { buffers } = declarationOf(code, name);
    expect([0, ...buffers.map(({ number }) => number)], name).toEqual(numbers.sort((a, b) => a - b));
    expect(new Set(numbers).size, name).toBe(numbers.length);
  }
});

it("a broken shader is told", async () => {
  expect((await messages("fn main() { let x: f32 = 1i; }")).length).toBeGreaterThan(0);
});

it("no file is too long to read", () => {
  const files = readdirSync(kernelRoot, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".wgsl"));
  const lengths = files.map(
    (file) => [file, readFileSync(join(kernelRoot, file), "utf8").trimEnd().split("\n").length] as const,
  );
  expect(lengths.filter(([, lines]) => lines > 150)).toEqual([]);
});

describe("unroll", () => {
  it("evaluates what constants are made of", () => {
    const names = new Map([
      ["A", 3],
      ["B", 4],
    ]);
    expect(evaluate("(A + B) * 2u - max(A, B) / 3u % 2u", names)).toBe(13);
    expect(() => evaluate("A + C", names)).toThrow(/C in/);
  });
  it("leaves a loop where its condition is false", () => {
    const code = (on: boolean): string =>
      `const ON = ${on};\n//: unroll if ON\nfor (var i = 0u; i < 2u; i++) {\n//: unroll\nfor (var j = 0u; j < 2u; j++) {\nf(i, j);\n}\n}`;
    expect([...unroll(code(true)).matchAll(/f\((\w+), (\w+)\)/g)].map(([call]) => call)).toHaveLength(4);
    expect([...unroll(code(false)).matchAll(/f\((\w+), (\w+)\)/g)].map(([call]) => call)).toEqual([
      "f(i, 0u)",
      "f(i, 1u)",
    ]);
    expect(unroll(code(false))).not.toContain("//:");
  });
  it("writes rising and falling loops out, nested ones too", () => {
    const code =
      "const N = 2u;\n//: unroll\nfor (var i = 0u; i < N; i++) {\n//: unroll\nfor (var j = N - 1u; j < N; j--) {\nf(i, j);\n}\n}";
    expect([...unroll(code).matchAll(/f\((\d)u, (\d)u\)/g)].map(([, i, j]) => `${i}${j}`)).toEqual([
      "01",
      "00",
      "11",
      "10",
    ]);
  });
});

describe("specialise", () => {
  it("refuses a constant that a shader has not", () => {
    expect(() => specialise(new ShaderLibrary().load("make/fill"), { NO_SUCH: 1 })).toThrow(
      /make\/fill has no constant NO_SUCH/,
    );
  });
});

describe("a shader's declaration", () => {
  const code = [
    "struct Params { n: u32, eps: f32, shift: i32, dims: array<vec4u, 2> }",
    "@group(0) @binding(0) var<uniform> params: Params;",
    "@group(0) @binding(1) var<storage, read> x: array<vec4f>;",
    "@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS",
    "@group(0) @binding(2) var<storage, read_write> y: array<f32>; //: optional //: packed",
    "override HAS_BIAS = false;",
    "const WG = 64u;",
    "const HALF = WG / 2u;",
    "const rate = 0.5f;",
    "override SCALE = 0.5f;",
  ].join("\n");
  const shader = { name: "s", label: "s", code, declaration: declarationOf(code, "s") };
  const { declaration } = shader;
  const good: AnyRequest = {
    params: { n: 3, eps: 1, shift: -1, dims: [5, -2] },
    buffers: { x: { buffer: {} as GPUBuffer, offset: 0, size: 4 } },
    grid: [1, 1, 1],
  };
  it("has its parameters with their places, its buffers by number, and its constants", () => {
    expect(declaration.params.map(({ name, type, word, count }) => [name, type, word, count])).toEqual([
      ["n", "u32", 0, 1],
      ["eps", "f32", 1, 1],
      ["shift", "i32", 2, 1],
      ["dims", "u32", 4, 8],
    ]);
    expect(declaration.buffers.map(({ name, written, optional, packed }) => [name, written, optional, packed])).toEqual(
      [
        ["x", false, false, false],
        ["y", true, true, true],
        ["bias", false, true, false],
      ],
    );
    expect(declaration.constants.map(({ name, type, override }) => [name, type, override])).toEqual([
      ["WG", "u32", false],
      ["SCALE", "f32", true],
    ]);
    expect(declaration.flags.map(({ name }) => name)).toEqual(["HAS_BIAS"]);
  });
  it("encodes each parameter in its type", () => {
    expect(encodeParams(shader, good.params)).toEqual([
      3,
      0x3f800000,
      2 ** 32 - 1,
      0,
      5,
      2 ** 32 - 2,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
  });
  it("says by a constant whether a buffer is there", () => {
    expect(constantsOf(shader, good)).toEqual({ HAS_BIAS: false });
    const withBias = { ...good, buffers: { ...good.buffers, bias: good.buffers.x } };
    expect(constantsOf(shader, withBias)).toEqual({ HAS_BIAS: true });
    expect(constantsKey(shader, withBias)).not.toBe(constantsKey(shader, good));
  });
  it.each([
    [
      "a parameter that is missing",
      () => encodeParams(shader, { n: 3, eps: 1, shift: 0 }),
      /s: parameter dims is missing/,
    ],
    [
      "an unknown parameter",
      () => encodeParams(shader, { ...good.params, m: 1 }),
      /s: has no parameter m \(it has n, eps/,
    ],
    [
      "a parameter that is too long",
      () => encodeParams(shader, { ...good.params, dims: new Array<number>(9).fill(0) }),
      /dims has at most 8 words, got 9/,
    ],
    ["a buffer that is missing", () => mapBuffers(shader, {}, () => 0), /s: buffer x is missing/],
    ["an unknown buffer", () => mapBuffers(shader, { ...good.buffers, w: undefined }, () => 0), /s: has no buffer w/],
    ["an unknown constant", () => constantsKey(shader, { ...good, constants: { WGS: 1 } }), /s: has no constant WGS/],
    [
      "a constant that the buffers decide",
      () => constantsKey(shader, { ...good, constants: { HAS_BIAS: true } }),
      /s: has no constant HAS_BIAS/,
    ],
    [
      "an unknown variant",
      () => new ShaderLibrary().load("linear/gemv", { FORM: "q8" }),
      /linear\/gemv: has no variant FORM/,
    ],
    [
      "a variant's unknown value",
      () => new ShaderLibrary().load("linear/gemv", { FORMAT: "q5", SUMS: "workgroup" }),
      /linear\/gemv: variant FORMAT must be f32 or f16 .* got q5/,
    ],
    ["a variant that is not named", () => new ShaderLibrary().load("linear/unpack"), /variant FORMAT must be/],
    ["an unknown shader", () => new ShaderLibrary().load("linear/gem"), /there is no shader linear\/gem/],
  ])("refuses %s", (_, act, message) => {
    expect(act).toThrow(ArgumentError);
    expect(act).toThrow(message);
  });
});
