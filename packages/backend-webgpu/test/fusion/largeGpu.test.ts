import { capture, keep, setBackend, stopBackend, tensor, type Tensor } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { Model, parseModelConfig } from "@statespace/models";
import { afterEach, expect, it } from "vitest";
import type { DeviceTraits, WebGpuBackend } from "../../src/index.ts";
import { dryBackend } from "../dryDevice.ts";

const layers = 3;

const mamba = { model_type: "mamba", hidden_size: 768, num_hidden_layers: layers, vocab_size: 320 };

/** Granite 4's layers of Mamba-2 with an MLP each and a factor on every branch. */
const granite = {
  model_type: "granitemoehybrid",
  vocab_size: 320,
  hidden_size: 768,
  num_hidden_layers: layers,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  layer_types: Array.from({ length: layers }, () => "mamba"),
  mamba_n_heads: 48,
  mamba_d_head: 32,
  mamba_d_state: 128,
  mamba_n_groups: 1,
  mamba_expand: 2,
  num_local_experts: 0,
  shared_intermediate_size: 2048,
  position_embedding_type: "nope",
  residual_multiplier: 0.246,
  embedding_multiplier: 1,
  logits_scaling: 1,
};

/** Dispatches of one replay of a decode step. */
async function dispatchesOf(config: object, traits: Partial<DeviceTraits>): Promise<number> {
  await setBackend(dryBackend(traits));
  const backend = currentBackend() as WebGpuBackend;
  const model = new Model(parseModelConfig({ ...config }), "empty");
  const [ids, state] = [keep(tensor(Int32Array.of(1))), model.initialState(1)];
  // What a model makes of its weights at its first step is not part of the graph then.
  model.step(ids, state).dispose();
  const graph = capture((): Tensor => model.step(ids, state));
  const before = backend.counters.dispatches;
  graph.replay();
  return backend.counters.dispatches - before;
}

afterEach(() => stopBackend("webgpu-dry"));

// Beside the layers: the embedding and the norm with the logits. The whole step binds 11 buffers, the projected one 10.
it.each([
  ["16 storage buffers and shuffles", {}, 3],
  ["16 storage buffers and no subgroups", { subgroupMin: 0, subgroupMax: 0 }, 3],
  ["10 storage buffers", { maxStorageBuffers: 10 }, 4],
  ["8 storage buffers", { maxStorageBuffers: 8 }, 6],
])("a device with %s replays a layer of Mamba in as few dispatches as it can", async (_, traits, perLayer) => {
  expect(await dispatchesOf(mamba, traits)).toBe(layers * perLayer + 2);
});

// Norm, inProj and convolution; the scan's step; gated norm, outProj, factor and residual stream; norm and fc1; gate, fc2, factor and residual stream.
it.each([
  ["16 storage buffers", {}, 5],
  ["10 storage buffers", { maxStorageBuffers: 10 }, 5],
  ["8 storage buffers", { maxStorageBuffers: 8 }, 13],
])("a device with %s replays a layer of Mamba-2 with its MLP in as few", async (_, traits, perLayer) => {
  expect(await dispatchesOf(granite, traits)).toBe(layers * perLayer + 2);
});
