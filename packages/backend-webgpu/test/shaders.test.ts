import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { generate, kernelRoot, loadShader, shaderFiles } from "../scripts/embedShaders.ts";
import { specialise } from "../src/device/pipelines.ts";
import { requestGpu } from "../src/device/requestGpu.ts";
import { evaluate, unroll } from "../src/device/unroll.ts";
import { shaders } from "../src/shaders.ts";

// Dawn's null backend validates all of WGSL and executes nothing, so it needs no driver.
let device: GPUDevice;
beforeAll(async () => {
  const gpu = await requestGpu(["backend=null"]);
  const adapter = (await gpu.requestAdapter())!;
  device = await adapter.requestDevice({ requiredFeatures: ["subgroups" as GPUFeatureName] });
});

async function messages(code: string): Promise<string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages: found } = await module.getCompilationInfo();
  await device.popErrorScope();
  return found.map(({ lineNum, message }) => `${code.split("\n")[lineNum - 1]}: ${message}`);
}

it("the embedded shaders are those of the .wgsl files", () => {
  expect(readFileSync(join(kernelRoot, "..", "shaders.generated.ts"), "utf8"), "stale: run pnpm build").toBe(
    generate(),
  );
});

it.each([...shaderFiles()])("%s is valid WGSL, as written and with its loops written out", async (_, path) => {
  const code = loadShader(path);
  expect(await messages(code)).toEqual([]);
  expect(await messages(unroll(code))).toEqual([]);
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
    expect(() => specialise({ name: "fill", code: shaders.fill }, { NO_SUCH: 1 })).toThrow(
      /fill has no constant NO_SUCH/,
    );
  });
});
