import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Model, type ModelConfig } from "../../src/index.ts";
import { saveOnnx, type SaveOnnxOptions } from "../../src/onnx/index.ts";
import { expectLogitsOf } from "./expectLogits.ts";
import { readOnnx, type Graph } from "./readOnnx.ts";

let folder: string;
beforeAll(async () => {
  await setBackend(cpuBackend());
  folder = mkdtempSync(join(tmpdir(), "statespace-onnx-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small language model; `more` are settings of the model. */
function modelOf(layers: readonly object[], more: object = {}): Model {
  const ends = { encoder: { kind: "embedding", vocabSize: 16 }, head: { kind: "language" } };
  const config = { modelType: "statespace", dModel: 32, norm: "rms", ...ends, layers, ...more };
  return new Model(config as unknown as ModelConfig, 3);
}

/** Parameters that begin as zero or one say nothing of where they are used: all are moved. */
async function moved(model: Model): Promise<Model> {
  for (const parameter of model.parameters) {
    const values = await parameter.read();
    parameter.assign(values.map((value, i) => value + 0.2 * Math.sin(i + parameter.name.length)));
  }
  return model;
}

async function saved(model: Model, options: SaveOnnxOptions = {}): Promise<Graph> {
  const file = join(folder, "m.onnx");
  await saveOnnx(model, file, options);
  return readOnnx(readFileSync(file)).graph;
}

const attention = { kind: "attention", nHeads: 4, nHeadsKv: 2 };
const rglru = { kind: "rgLru", nHeads: 2 };

describe("settings of layers, run by the definitions of ONNX's operators", () => {
  it.each([
    [
      "a window shorter than the prompt, and one longer",
      [
        { ...attention, window: 4 },
        { ...attention, window: 40 },
      ],
    ],
    ["a window of one token", [{ ...attention, window: 1 }]],
    [
      "a bound on scores",
      [
        { ...attention, softCap: 0.3 },
        { ...attention, softCap: 0.5, window: 3 },
      ],
    ],
    ["positions for half of a head", [{ ...attention, rotaryDim: 4, rotaryInterleaved: true }]],
    ["scaled positions", [{ ...attention, rotaryScaling: { type: "yarn", factor: 4, trainedLength: 8 } }]],
    [
      "positions scaled as Llama's",
      [{ ...attention, rotaryScaling: { type: "llama3", factor: 8, trainedLength: 16 } }],
    ],
    ["positions scaled evenly", [{ ...attention, rotaryScaling: { type: "linear", factor: 2 } }]],
    ["gated linear recurrences", [rglru, { ...rglru, nHeads: 1, dInner: 48, dConv: 2, activation: "silu" }]],
  ] as const)("%s", async (_, layers) => {
    const model = await moved(modelOf(layers));
    await expectLogitsOf(model, await saved(model));
    model.dispose();
  });

  it("a gate that is nearly shut and one that is wide open: the scale of an input keeps its digits", async () => {
    const model = await moved(modelOf([rglru]));
    const bias = model.parameter("layers.0.mixer.recurrent_gate.bias");
    bias.assign(Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? -18 : 60)));
    const decay = model.parameter("layers.0.mixer.a_param");
    decay.assign(Float32Array.from({ length: 32 }, (_, i) => (i % 4 === 1 ? 20 : -3)));
    await expectLogitsOf(model, await saved(model));
    model.dispose();
  });
});

describe("blocks that layers share", () => {
  const use = (block: number): object => ({
    kind: "mamba2",
    headDim: 16,
    dState: 8,
    shared: { block, attention: { nHeads: 4 }, mlp: { hidden: 32, activation: "gelu" }, mlpRank: 3, attentionRank: 2 },
  });

  it("two in turn, each use with additions of its own to attention and MLP", async () => {
    const model = await moved(modelOf([use(0), { kind: "mamba2", headDim: 16, dState: 8 }, use(1), use(0)]));
    const graph = await saved(model);
    await expectLogitsOf(model, graph);
    expect(graph.inputs.map(({ name }) => name).slice(1, 5)).toEqual([
      "state.0.keys",
      "state.0.values",
      "state.1.conv",
      "state.1.ssm",
    ]);
    // A block's weights are in the file once; its second use adds to them.
    const of = (text: string): number => graph.constants.filter(({ name }) => name.includes(text)).length;
    expect([of("attention.in_proj.weight"), of("mlp.fc1.added"), of("in_proj.added")]).toEqual([2, 6, 18]);
    model.dispose();
  });

  it.each(["q8", "q4"] as const)("packed as %s", async (weights) => {
    const model = await moved(modelOf([use(0), use(0)]));
    await model.quantize(weights);
    const graph = await saved(model, { weights });
    expect(graph.constants.some(({ name }) => name === "shared.0.attention.in_proj.weight.quants")).toBe(true);
    await expectLogitsOf(model, graph);
    model.dispose();
  });
});

it.each([{ opset: 27 }, { operators: "onnxruntime" }] as const)(
  "%j: a gated recurrence and the convolution before it are one operator each",
  async (options) => {
    const model = await moved(modelOf([rglru]));
    const graph = await saved(model, options);
    const operators = graph.nodes.map(({ op }) => op);
    expect(operators).toEqual(expect.arrayContaining(["CausalConvWithState", "LinearAttention"]));
    expect(operators).not.toContain("Scan");
    expect(graph.inputs.find(({ name }) => name === "state.0.recurrent")!.shape).toEqual(["batch", 32]);
    await expectLogitsOf(model, graph);
    model.dispose();
  },
);
