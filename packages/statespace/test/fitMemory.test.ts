import { AdamW, memory, Rng, valueAndGrads } from "@statespace/core";
import { cpuBackend, fit, Model, models, setBackend, wasmBackend, type ModelConfig } from "statespace";
import { beforeEach, expect, it } from "vitest";

beforeEach(() => setBackend(cpuBackend()));

const config: ModelConfig = {
  dModel: 32,
  encoder: { kind: "embedding", vocabSize: 40 },
  layers: ["mamba", "mamba", "mamba", "mamba"],
  head: { kind: "language" },
};
const batch = (b: number, l: number) => {
  const inputs = Int32Array.from({ length: b * l }, (_, i) => i % 40);
  return { inputs, targets: inputs, shape: [b, l], targetShape: [b, l] };
};

it("the estimate is what a step then holds, to a tenth", () => {
  const model = new Model(config, 1);
  for (const recompute of [false, true]) {
    const objective = models.modelObjective(model, { recompute });
    const estimate = models.estimateMemory(model, objective, batch(6, 40));
    const before = memory().bytes;
    const optimizer = new AdamW(model.parameters);
    let held = 0;
    const { value, grads } = valueAndGrads(
      () => {
        const result = objective.loss(batch(6, 40), { carried: undefined, rng: new Rng(0) });
        held = memory().bytes - before;
        return "dataId" in result ? result : result.loss;
      },
      model.parameters.map((parameter) => parameter.value),
    );
    const moments = 2 * 4 * model.size;
    expect((held - moments) / estimate.activations).toBeGreaterThan(0.9);
    expect((held - moments) / estimate.activations).toBeLessThan(1.1);
    expect(estimate.weights).toBe(4 * model.size);
    expect(estimate.training).toBe(3 * 4 * model.size);
    for (const t of [value, ...grads]) t?.dispose();
    optimizer.dispose();
  }
  model.dispose();
});

it("what does not fit is refused before the first step, with the numbers", async () => {
  const model = new Model(config, 1);
  const ids = Int32Array.from({ length: 4000 }, (_, i) => i % 40);
  const kinds: string[] = [];
  const run = (memoryLimit: number): Promise<unknown> =>
    fit(model, ids, { steps: 1, batchSize: 8, seqLen: 64, memoryLimit, onEvent: ({ kind }) => void kinds.push(kind) });
  await expect(run(2 ** 20)).rejects.toThrow(
    /a step takes about [\d.]+ MiB, and there are 1.0 MiB: weights 0.\d MiB, gradients and moments 0.\d MiB, what the forward pass keeps [\d.]+ MiB. A smaller batchSize/,
  );
  expect(kinds).toEqual([]);
  await run(2 ** 28);
  expect(kinds).toContain("end");
  model.dispose();
});

it("a WebAssembly backend has 4 GiB", async () => {
  await setBackend(wasmBackend({ threads: 1 }));
  const model = new Model({ ...config, dModel: 256, layers: Array.from({ length: 24 }, () => "mamba" as const) }, 1);
  const ids = Int32Array.from({ length: 40_000 }, (_, i) => i % 40);
  await expect(fit(model, ids, { steps: 1, batchSize: 4096, seqLen: 16 })).rejects.toThrow(/and there are 4.00 GiB/);
  model.dispose();
});
