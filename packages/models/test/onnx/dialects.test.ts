import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { folderSource } from "@statespace/files";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert, fromPretrained, type Model } from "../../src/index.ts";
import { saveOnnx, type SaveOnnxOptions } from "../../src/onnx/index.ts";
import { expectLogitsOf, type Ports } from "./expectLogits.ts";
import { readOnnx, type Graph } from "./readOnnx.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);
const sourceOf = (name: string): ReturnType<typeof folderSource> => folderSource(new URL(`${name}/`, golden));

let folder: string;
beforeAll(async () => {
  await setBackend(cpuBackend());
  folder = mkdtempSync(join(tmpdir(), "statespace-onnx-dialects-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function saved(model: Model, options: SaveOnnxOptions): Promise<{ opset: number; graph: Graph }> {
  const file = join(folder, "model.onnx");
  await saveOnnx(model, file, options);
  return readOnnx(readFileSync(file));
}
const operatorsOf = ({ nodes }: Graph): Set<string> => new Set(nodes.map(({ op }) => op));

describe("operators that hold a recurrence", () => {
  it.each([
    ["mamba2-tiny", { opset: 27 }],
    ["qwen3.5-tiny", { opset: 27 }],
    ["lfm2-tiny", { opset: 27 }],
    ["mamba2-tiny", { operators: "onnxruntime" }],
    ["qwen3.5-tiny", { operators: "onnxruntime" }],
  ] as const)("%s, %j", async (name, options) => {
    const model = await fromPretrained(sourceOf(name));
    const { opset, graph } = await saved(model, options);
    expect(opset).toBe("opset" in options ? 27 : 20);
    const operators = operatorsOf(graph);
    expect(operators).toContain("CausalConvWithState");
    expect(operators.has("LinearAttention")).toBe(name !== "lfm2-tiny");
    expect(operators).not.toContain("Scan");
    await expectLogitsOf(model, graph);
    model.dispose();
  });
});

describe("matrices in blocks", () => {
  it.each([
    ["mamba2-tiny", "q8"],
    ["lfm2-tiny", "q4"],
    ["lfm2-moe-tiny", "q8"],
    ["lfm2-moe-tiny", "q4"],
  ] as const)("%s, %s: the model's own packed weights, a tied table once", async (name, weights) => {
    const model = await fromPretrained(sourceOf(name), { weights });
    const { graph } = await saved(model, { weights });
    expect(operatorsOf(graph)).toContain("MatMulNBits");
    const [table, ...others] = graph.constants.filter(({ name: key }) => key.startsWith("encoder.weight"));
    expect([table!.name, ...others.map(({ name: key }) => key)]).toEqual([
      "encoder.weight.quants",
      "encoder.weight.scales",
    ]);
    expect(table!.shape.at(-1)).toBe(weights === "q8" ? 32 : 16);
    const experts = graph.constants.filter(({ name: key }) => /experts\.fc[12]\.weight\.quants$/.test(key));
    expect(experts.length > 0).toBe(name === "lfm2-moe-tiny");
    await expectLogitsOf(model, graph);
    model.dispose();
    // The same from plain weights, and from the files.
    const plain = await fromPretrained(sourceOf(name));
    await saveOnnx(plain, join(folder, "plain.onnx"), { weights });
    plain.dispose();
    await convert(sourceOf(name), join(folder, "converted.onnx"), { weights });
    const bytes = readFileSync(join(folder, "model.onnx"));
    expect(readFileSync(join(folder, "plain.onnx")).equals(bytes)).toBe(true);
    expect(readFileSync(join(folder, "converted.onnx")).equals(bytes)).toBe(true);
  });

  it("lie beside the model at multiples of 4096 too", async () => {
    const model = await fromPretrained(sourceOf("lfm2-tiny"));
    const inline = (await saved(model, { weights: "q4" })).graph;
    const external = (await saved(model, { weights: "q4", externalData: true })).graph;
    const data = readFileSync(join(folder, "model.onnx.data"));
    for (const { name, external: where } of external.constants.filter((constant) => constant.external.size > 0)) {
      const [offset, length] = [Number(where.get("offset")), Number(where.get("length"))];
      expect(offset % 4096).toBe(0);
      const own = inline.constants.find((constant) => constant.name === name)!;
      expect(data.subarray(offset, offset + length).equals(own.raw), name).toBe(true);
    }
    model.dispose();
  });
});

describe("a folder for transformers.js", () => {
  const THEIRS: Ports = {
    ids: "input_ids",
    before: (name) => (/^present\./.test(name) ? name.replace("present", "past_key_values") : name.replace("present", "past")),
  }; // prettier-ignore

  it.each([
    ["granite-h-tiny", ["past_conv.0", "past_ssm.0", "past_key_values.1.key", "past_key_values.1.value"]],
    ["lfm2-tiny", ["past_conv.0", "past_key_values.1.key"]],
    ["olmo-hybrid-tiny", ["past_conv.0.query", "past_conv.0.key", "past_conv.0.value", "past_recurrent.0"]],
  ])("%s: its names, and the logits", async (name, names) => {
    const out = join(folder, name);
    expect(await convert(sourceOf(name), out, { to: "transformers.js" })).toEqual({
      family: "transformers.js",
      resumed: 0,
    });
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config["transformers.js_config"]).toEqual({ dtype: "fp32" });
    if (name === "granite-h-tiny") expect(config["layer_types"]).toEqual(["mamba", "attention", "mamba"]);
    const { graph } = readOnnx(readFileSync(join(out, "onnx", "model.onnx")));
    const inputs = new Map(graph.inputs.map((value) => [value.name, value.shape]));
    expect(inputs.get("input_ids")).toEqual(["batch_size", "sequence_length"]);
    for (const key of names) expect(inputs.has(key), key).toBe(true);
    if (name === "lfm2-tiny")
      expect(inputs.get("past_key_values.1.key")).toEqual(["batch_size", 2, "past_sequence_length", 8]);
    expect(graph.outputs.map((value) => value.name)).toContain(names[0]!.replace("past", "present"));
    const model = await fromPretrained(sourceOf(name));
    await expectLogitsOf(model, graph, THEIRS);
    model.dispose();
  });

  it("its file bears the name of the weights' type; other models have no class there", async () => {
    const out = join(folder, "q4");
    await convert(sourceOf("lfm2-tiny"), out, { to: "transformers.js", weights: "q4" });
    expect(readdirSync(join(out, "onnx"))).toEqual(["model_q4.onnx"]);
    await expect(convert(sourceOf("mamba2-tiny"), join(folder, "none"), { to: "transformers.js" })).rejects.toThrow(
      /transformers.js must have a class for the model, one of lfm2, .*, got mamba2/,
    );
    expect(readdirSync(folder)).not.toContain("none");
  });
});

it("options that are wrong are told by name", async () => {
  const from = sourceOf("mamba-tiny");
  const out = join(folder, "x.onnx");
  const model = await fromPretrained(from);
  const wrong = (options: object): Promise<void> => saveOnnx(model, out, options);
  await expect(wrong({ opset: 21 })).rejects.toThrow("saveOnnx: opset must be 20 or 27, got 21");
  await expect(wrong({ operators: "onnxruntme" })).rejects.toThrow(
    'saveOnnx: operators must be one of standard, onnxruntime, got "onnxruntme"; did you mean "onnxruntime"?',
  );
  await expect(wrong({ operators: "onnxruntime", opset: 27 })).rejects.toThrow(/operators = onnxruntime has opset 20/);
  await expect(wrong({ weights: "f16" })).rejects.toThrow('saveOnnx: weights must be one of f32, q8, q4, got "f16"');
  await expect(wrong({ opset_version: 27 })).rejects.toThrow(/has no option opset_version; opset may be meant/);
  model.dispose();
  await expect(convert(from, out, { weights: "bf16" })).rejects.toThrow(/convert: weights must be one of f32, q8, q4/);
  await expect(convert(from, join(folder, "g.gguf"), { opset: 27 })).rejects.toThrow(
    "convert: opset is for onnx and transformers.js, got to = gguf",
  );
  expect(readdirSync(folder)).not.toContain("x.onnx");
});
