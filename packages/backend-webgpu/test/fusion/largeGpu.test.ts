import { capture, keep, setBackend, stopBackend, tensor, type Tensor } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { Model, parseModelConfig } from "@statespace/models";
import { afterEach, expect, it } from "vitest";
import type { DeviceTraits, WebGpuBackend } from "../../src/index.ts";
import { dryBackend } from "../dryDevice.ts";

const layers = 3;

/** Dispatches of one replay of a decode step at the widths of mamba-130m. */
async function dispatchesOf(traits: Partial<DeviceTraits>): Promise<number> {
  await setBackend(dryBackend(traits));
  const backend = currentBackend() as WebGpuBackend;
  const model = new Model(
    parseModelConfig({ model_type: "mamba", hidden_size: 768, num_hidden_layers: layers, vocab_size: 320 }),
    1,
  );
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
  expect(await dispatchesOf(traits)).toBe(layers * perLayer + 2);
});
