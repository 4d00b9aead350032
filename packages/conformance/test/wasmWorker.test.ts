import { wasmBackend } from "@statespace/backend-wasm";
import { AdamW, readFloats, setBackend, stopBackend, tensor, valueAndGrads } from "@statespace/core";
import { Model, nextTokenTargets, parseModelConfig } from "@statespace/models";
import { expect, it } from "vitest";
import { conformanceSuite } from "../src/harness/suite.ts";

const config = parseModelConfig({
  model_type: "mamba",
  hidden_size: 64,
  num_hidden_layers: 2,
  vocab_size: 64,
  state_size: 16,
});

/** Losses of some steps, and every weight after the last. */
async function train(worker: boolean): Promise<{ losses: number[]; weights: Float32Array[] }> {
  // Under a name of its own: the suite below has its backend in the same program.
  await setBackend({ ...wasmBackend({ threads: 2, worker }), name: "wasm-training" });
  const model = new Model(config, 0);
  const optimizer = new AdamW(model.parameters, { learningRate: 3e-3 });
  const row = Int32Array.from({ length: 128 }, (_, i) => (i * i + 3) % 64);
  const ids = tensor(row, [2, 64]);
  const targets = tensor(nextTokenTargets(row, 64), [2, 64]);
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) {
    const { value, grads } = valueAndGrads(
      () => model.loss(ids, targets),
      optimizer.parameters.map((p) => p.value),
    );
    optimizer.step(grads);
    losses.push((await readFloats(value))[0]!);
    for (const t of [value, ...grads]) t?.dispose();
  }
  const weights = await Promise.all(optimizer.parameters.map((p) => readFloats(p.value)));
  stopBackend("wasm-training");
  return { losses, weights };
}

it("a training run in a worker equals the direct one bit for bit", async () => {
  const direct = await train(false);
  expect(direct.losses.at(-1)!).toBeLessThan(direct.losses[0]!);
  expect(await train(true)).toEqual(direct);
});

await conformanceSuite(wasmBackend({ threads: 2, worker: true }));
