import { cpuBackend } from "@statespace/backend-cpu";
import { memory, readFloats, Rng, setBackend, tidy, valueAndGrads } from "@statespace/core";
import {
  adapterObjective,
  addAdapter,
  fromPretrained,
  Model,
  modelObjective,
  type ModelConfig,
  type Trainable,
  type TrainingBatch,
} from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => setBackend(cpuBackend()));

const golden = (name: string): URL => new URL(`../../../conformance/golden/hf/${name}`, import.meta.url);
const [B, L] = [2, 12];
const ids = Int32Array.from({ length: B * L }, (_, i) => (5 * i + 1) % 90);
const batch: TrainingBatch = {
  inputs: ids,
  targets: ids.map((id) => (id + 1) % 90),
  shape: [B, L],
  targetShape: [B, L],
  seqIdx: ids.map((_, i) => (i % L < 5 ? 0 : 1)),
};

/** Loss, every gradient, and what was alive when the forward pass was over. */
async function run({ parameters, loss }: Trainable): Promise<{ values: Float32Array[]; alive: number }> {
  const before = memory();
  let alive = 0;
  const { value, grads } = valueAndGrads(
    () => {
      const result = loss(batch, { carried: undefined, rng: new Rng(4) });
      alive = memory().bytes - before.bytes;
      return "dataId" in result ? result : result.loss;
    },
    parameters.map((parameter) => parameter.value),
  );
  const values: Float32Array[] = [await readFloats(value)];
  for (const grad of grads) values.push(grad === null ? new Float32Array() : await readFloats(grad));
  for (const t of [value, ...grads]) t?.dispose();
  expect(memory().tensors).toBe(before.tensors);
  return { values, alive };
}

describe.each(["mamba-tiny", "falcon-h1-tiny", "qwen3.5-tiny", "zamba2-tiny", "granite-h-moe-tiny"])("%s", (name) => {
  it("gives the same loss and gradients, bit for bit, of packed rows", async () => {
    const model = await fromPretrained(golden(name));
    await run(modelObjective(model)).catch(() => undefined); // makes what layers keep between calls
    const [kept, again] = [await run(modelObjective(model)), await run(modelObjective(model, { recompute: true }))];
    const [embedding] = model.parameters;
    again.values.forEach((values, i) => {
      // The embedding goes into several layers of Zamba, whose gradients are summed in another order.
      if (name !== "zamba2-tiny" || model.parameters[i - 1] !== embedding) expect(values).toEqual(kept.values[i]);
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      values.forEach((value, k) =>
        expect(Math.abs(value - kept.values[i]![k]!)).toBeLessThanOrEqual(16 * 2 ** -24 * scale),
      );
    });
    expect(again.values.some((values) => values.some((value) => value !== 0))).toBe(true);
    model.dispose();
  });
});

it("draws the dropout again that it drew", async () => {
  const config: ModelConfig = {
    dModel: 8,
    encoder: { kind: "embedding", vocabSize: 91 },
    layers: ["mamba", "attention"],
    head: { kind: "language" },
    dropout: 0.3,
  };
  const model = new Model(config, 1);
  const [kept, again] = [await run(modelObjective(model)), await run(modelObjective(model, { recompute: true }))];
  expect(again.values).toEqual(kept.values);
  model.dispose();
});

it("keeps a fraction: what is alive after the forward pass of many layers is their inputs", async () => {
  const layers = Array.from({ length: 16 }, () => "mamba" as const);
  const model = new Model({
    dModel: 16,
    encoder: { kind: "embedding", vocabSize: 91 },
    layers,
    head: { kind: "language" },
  });
  const [kept, again] = [await run(modelObjective(model)), await run(modelObjective(model, { recompute: true }))];
  expect(again.values).toEqual(kept.values);
  expect(again.alive).toBeLessThan(kept.alive / 4);
  model.dispose();
});

it("serves adapters on packed weights, and refuses their dropout", async () => {
  const model = await fromPretrained(golden("granite-h-tiny"), { weights: "q8" });
  const adapter = await addAdapter(model, { rank: 2 });
  for (const { B: weight } of adapter.lowRanks) weight.assign(new Float32Array(weight.size).fill(0.02));
  const [kept, again] = [
    await run(adapterObjective(adapter)),
    await run(adapterObjective(adapter, { recompute: true })),
  ];
  expect(again.values).toEqual(kept.values);
  adapter.dispose();
  const dropping = await addAdapter(model, { dropout: 0.1 });
  expect(() => adapterObjective(dropping, { recompute: true })).toThrow(
    /recompute does not go with an adapter's dropout/,
  );
  model.dispose();
});

it("changes nothing outside a tape", async () => {
  const model = await fromPretrained(golden("mamba-tiny"));
  const measured = async (trainable: Trainable): Promise<Float32Array> => {
    const { loss } = tidy(() => trainable.measure!(batch, { carried: undefined, rng: new Rng(0) }));
    const values = await readFloats(loss);
    loss.dispose();
    return values;
  };
  expect(await measured(modelObjective(model, { recompute: true }))).toEqual(await measured(modelObjective(model)));
  model.dispose();
});
