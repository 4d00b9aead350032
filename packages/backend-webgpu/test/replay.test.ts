import {
  capture,
  keep,
  readFloats,
  registerBackend,
  setBackend,
  stopBackend,
  tensor,
  writeInto,
  type PackedFormat,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { Model, parseModelConfig } from "@statespace/models";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";
import { bakeParams } from "../src/device/bakeParams.ts";
import { replayWishes } from "../src/fusion/replayWishes.ts";

const config = parseModelConfig({
  model_type: "mamba",
  hidden_size: 64,
  state_size: 16,
  num_hidden_layers: 2,
  vocab_size: 40,
  time_step_rank: 8,
});
const tokens = [3, 17, 5];
const ways = { ...replayWishes };

beforeAll(() => setBackend(webGpuBackend()));
afterEach(() => void Object.assign(replayWishes, ways));
afterAll(() => stopBackend("webgpu"));

async function makeModel(format: "f32" | PackedFormat): Promise<Model> {
  const model = new Model(config, 11);
  if (format !== "f32") await model.quantize(format);
  return model;
}

/** Logits of each token, and the state after the last. */
async function stepEagerly(model: Model): Promise<Float32Array[]> {
  const state = model.initialState(1);
  const results: Float32Array[] = [];
  for (const token of tokens) {
    const logits = model.step(tensor(Int32Array.of(token)), state);
    results.push(await readFloats(logits));
  }
  state.dispose();
  return results;
}

async function stepByReplay(model: Model): Promise<{ logits: Float32Array[]; dispatches: number }> {
  const backend = currentBackend() as WebGpuBackend;
  const ids = keep(tensor(Int32Array.of(tokens[0]!)));
  const state = model.initialState(1);
  // Capturing runs the step once: that is the first token.
  const graph = capture((): Tensor => model.step(ids, state));
  const logits = [await readFloats(graph.result)];
  let dispatches = 0;
  for (const token of tokens.slice(1)) {
    writeInto(ids, Int32Array.of(token));
    const before = backend.counters.dispatches;
    graph.replay();
    dispatches = backend.counters.dispatches - before;
    logits.push(await readFloats(graph.result));
  }
  graph.dispose();
  state.dispose();
  ids.dispose();
  return { logits, dispatches };
}

describe.each(["f32", "f16", "bf16", "q8", "q4"] as const)("a decode step with %s weights, replayed", (format) => {
  it.each([
    [4, { wholeStep: false, bake: false }],
    [4, { wholeStep: false, bake: true }],
    [3, { wholeStep: true, bake: false, channels: 32 }],
    [3, { wholeStep: true, bake: true, channels: 8 }],
  ])("takes %i dispatches a layer and gives what the ops give: %o", async (perLayer, wishes) => {
    Object.assign(replayWishes, wishes);
    const model = await makeModel(format);
    const want = await stepEagerly(model);
    const { logits, dispatches } = await stepByReplay(model);
    // Beside the layers: the embedding and the norm with the logits.
    expect(dispatches).toBe(2 * perLayer + 2);
    // Sums in another order: in each of 2 layers 4 of at most 128 products, each off by 2^-24 of what it adds up.
    const scale = Math.max(...want.flatMap((values) => [...values].map(Math.abs)));
    logits.forEach((values, t) =>
      values.forEach((value, i) =>
        expect(Math.abs(value - want[t]![i]!)).toBeLessThanOrEqual(2 * 4 * 128 * 2 ** -24 * scale),
      ),
    );
    model.dispose();
  });
});

describe("a device that binds fewer buffers", () => {
  afterAll(async () => {
    stopBackend("webgpu");
    registerBackend(webGpuBackend());
    await setBackend("webgpu");
  });
  // 10 as Chromium often offers, 8 as every device does.
  it.each([
    [10, 4],
    [8, 6],
  ])("with %i: %i dispatches a layer, the same logits", async (maxStorageBuffers, perLayer) => {
    stopBackend("webgpu");
    registerBackend(webGpuBackend({ maxStorageBuffers }));
    await setBackend("webgpu");
    const model = await makeModel("f32");
    const want = await stepEagerly(model);
    const { logits, dispatches } = await stepByReplay(model);
    expect(dispatches).toBe(2 * perLayer + 2);
    const scale = Math.max(...want.flatMap((values) => [...values].map(Math.abs)));
    logits.forEach((values, t) =>
      values.forEach((value, i) =>
        expect(Math.abs(value - want[t]![i]!)).toBeLessThanOrEqual(2 * 4 * 128 * 2 ** -24 * scale),
      ),
    );
    model.dispose();
  });
});

describe("bakeParams", () => {
  const head = "struct Params { n: u32, eps: f32, shift: i32 }\n@group(0) @binding(0) var<uniform> params: Params;\n";
  it("writes each word in as its type, absent ones as 0", () => {
    const code = bakeParams(`${head}fn f() -> u32 { return params.n - 1u; }`, [7, 0x3f800000]);
    expect(code).toContain("Params(7u, bitcast<f32>(1065353216u), bitcast<i32>(0u))");
    expect(code).toContain("baked().n - 1u");
    expect(code).not.toContain("uniform");
  });
  it("leaves blocks with arrays alone", () => {
    expect(
      bakeParams(
        "struct Params { size: u32, dims: array<vec4u, 8> }\n@group(0) @binding(0) var<uniform> params: Params;",
        [1],
      ),
    ).toBeUndefined();
  });
});
