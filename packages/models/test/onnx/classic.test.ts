import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor, tidy } from "@statespace/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Model, type ModelConfig } from "../../src/index.ts";
import { saveOnnx, type SaveOnnxOptions } from "../../src/onnx/index.ts";
import { evaluate } from "./evaluate.ts";
import { expectLogitsOf } from "./expectLogits.ts";
import { nd, type Nd } from "./ndArrays.ts";
import { readOnnx, type Graph } from "./readOnnx.ts";

let folder: string;
beforeAll(async () => {
  await setBackend(cpuBackend());
  folder = mkdtempSync(join(tmpdir(), "statespace-onnx-classic-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LAYERS = [
  { kind: "s4d", dState: 8 },
  { kind: "s4d", dState: 6, init: "real", discretization: "bilinear", channels: 2, nSsm: 2, deltaTie: false, rate: 0.5 },
  { kind: "s4d", dState: 6, realTransform: "softplus", activation: "none", output: "none" },
  { kind: "s5", dState: 8 },
  { kind: "s5", dState: 8, discretization: "bilinear", activation: "halfGlu2", clipEigs: true, conjSym: false },
  { kind: "lssl", dState: 6 },
  { kind: "lssl", dState: 5, discretization: "zoh", channels: 2, output: "linear" },
] as const; // prettier-ignore

function modelOf(layer: object, ends: object): Model {
  const config = { modelType: "statespace", dModel: 6, layers: [layer, { kind: "mlp", hidden: 8 }], ...ends };
  return new Model(config as unknown as ModelConfig, 3);
}
const LANGUAGE = { encoder: { kind: "embedding", vocabSize: 16 }, head: { kind: "language" } };

async function saved(model: Model, options: SaveOnnxOptions): Promise<Graph> {
  const file = join(folder, "m.onnx");
  await saveOnnx(model, file, options);
  return readOnnx(readFileSync(file)).graph;
}

describe.each(LAYERS.map((layer) => [JSON.stringify(layer), layer] as const))("%s", (_, layer) => {
  it("by its recurrence: a prompt at once, then tokens with the states carried on", async () => {
    const model = modelOf(layer, LANGUAGE);
    const graph = await saved(model, {});
    expect(graph.inputs.map(({ name }) => name)).toEqual(["ids", "state.0.ssm"]);
    await expectLogitsOf(model, graph);
    model.dispose();
  });

  it("by its filter: the whole sequence, no states", async () => {
    const model = modelOf(layer, LANGUAGE);
    const graph = await saved(model, { view: "convolution" });
    expect(graph.inputs.map(({ name }) => name)).toEqual(["ids"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["logits"]);
    for (const l of [1, 13]) {
      const ids = Int32Array.from({ length: 2 * l }, (_, i) => (i * 5 + 3) % 16);
      await expectOutput(model, graph, tensor(ids, [2, l]), ["ids", nd([2, l], ids)]);
    }
    model.dispose();
  });
});

describe("models of vectors", () => {
  it.each([
    [{ kind: "classification", classes: 3 }, "layer", ["batch", 3]],
    [{ kind: "regression", outputs: 2, pooling: "none" }, "rms", ["batch", "length", 2]],
    [{ kind: "forecasting", horizon: 4, channels: 2, quantiles: [0.1, 0.5] }, "layer", ["batch", 4, 2, 2]],
  ] as const)("%j", async (head, norm, shape) => {
    const model = modelOf({ kind: "s5", dState: 8 }, { encoder: { kind: "linear", channels: 3 }, head, norm });
    const graph = await saved(model, {});
    expect(graph.inputs[0]).toEqual({ name: "inputs", shape: ["batch", "length", 3] });
    expect(graph.outputs[0]).toEqual({ name: "output", shape });
    const values = Float32Array.from({ length: 2 * 7 * 3 }, (_, i) => Math.sin(i * i));
    await expectOutput(model, graph, tensor(values, [2, 7, 3]), ["inputs", nd([2, 7, 3], values)]);
    model.dispose();
  });
});

/** Expects the model's output from a graph that is run in float64. */
async function expectOutput(
  model: Model,
  graph: Graph,
  inputs: Parameters<Model["forward"]>[0],
  [name, given]: readonly [string, Nd],
): Promise<void> {
  const states = graph.inputs.slice(1).map((state): [string, Nd] => {
    const sizes = state.shape.map((axis) => (axis === "batch" ? 2 : Number(axis)));
    return [state.name, nd(sizes, new Array<number>(sizes.reduce((a, b) => a * b, 1)).fill(0))];
  });
  const output = tidy(() => model.forward(inputs).output);
  const expected = await readFloats(output);
  const [found] = evaluate(graph, new Map([[name, given], ...states])) as [Nd];
  expect(found.shape).toEqual(output.shape);
  output.dispose();
  inputs.dispose();
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - found.data[i]!)), 0);
  // The model computes in float32, its filters through a Fourier transform, and the graph here in float64.
  expect(worst).toBeLessThan(2e-5 * scale);
}

it("what has no graph is told by name", async () => {
  const fails = async (layer: object, ends: object, options: SaveOnnxOptions, message: string): Promise<void> => {
    const model = modelOf(layer, ends);
    await expect(saveOnnx(model, join(folder, "x.onnx"), options)).rejects.toThrow(message);
    model.dispose();
  };
  const s5 = { kind: "s5", dState: 8 };
  const vectors = (more: object): object => ({ encoder: { kind: "linear", channels: 2, ...more }, head: { kind: "classification", classes: 2 } }); // prettier-ignore
  await fails({ kind: "s4" }, LANGUAGE, {}, "onnx: s4 cannot have mode = dplr; s4d has mode diag");
  await fails({ kind: "dss", kernelLength: 16 }, LANGUAGE, {}, "onnx: layers.0: mixers of kind dss are not written");
  await fails({ ...s5, bidirectional: true }, vectors({}), {}, "onnx: s5 cannot have bidirectional = true");
  await fails({ ...s5, reverse: true }, vectors({}), {}, "onnx: layers.0: a mixer with reverse = true is not written");
  await fails({ kind: "mamba" }, LANGUAGE, { view: "convolution" }, "onnx: layers.0: view = convolution is for s4d, s5, lssl, mlp, got mamba"); // prettier-ignore
  await fails(s5, vectors({ missing: "mask" }), {}, "onnx: an encoder with missing = mask is not written");
  await fails(s5, { ...vectors({}), normalize: "sequence" }, {}, "onnx: normalize = sequence is not written");
  expect(readdirSync(folder)).not.toContain("x.onnx");
});
