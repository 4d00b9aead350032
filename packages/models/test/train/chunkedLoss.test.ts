import { cpuBackend } from "@statespace/backend-cpu";
import { memory, readFloats, Rng, setBackend, valueAndGrads } from "@statespace/core";
import {
  adapterObjective,
  addAdapter,
  fromPretrained,
  modelObjective,
  type Trainable,
  type TrainingBatch,
} from "@statespace/models";
import { beforeAll, expect, it } from "vitest";

beforeAll(() => setBackend(cpuBackend()));

const golden = (name: string): URL => new URL(`../../../conformance/golden/hf/${name}`, import.meta.url);
const [B, L] = [2, 11];
const ids = Int32Array.from({ length: B * L }, (_, i) => (5 * i + 1) % 90);
const batch: TrainingBatch = {
  inputs: ids,
  targets: ids.map((id, i) => (i % 4 === 0 ? -100 : (id + 1) % 90)),
  shape: [B, L],
  targetShape: [B, L],
};

async function run({ parameters, loss }: Trainable): Promise<Float32Array[]> {
  const { value, grads } = valueAndGrads(
    () => {
      const result = loss(batch, { carried: undefined, rng: new Rng(4) });
      return "dataId" in result ? result : result.loss;
    },
    parameters.map((parameter) => parameter.value),
  );
  const values: Float32Array[] = [await readFloats(value)];
  for (const grad of grads) values.push(grad === null ? new Float32Array() : await readFloats(grad));
  for (const t of [value, ...grads]) t?.dispose();
  return values;
}

/** The same sums in another order. */
function expectClose(actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((values, i) => {
    expect(values).toHaveLength(expected[i]!.length);
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    values.forEach((value, k) =>
      expect(Math.abs(value - expected[i]![k]!)).toBeLessThanOrEqual(256 * 2 ** -24 * scale),
    );
  });
}

// A vocabulary of 96: parts of 4, 1 and 21 tokens; tied and not, with a factor on the logits and without.
it.each([
  ["mamba-tiny", 4 * 4 * 96],
  ["mamba-tiny", 1],
  ["falcon-h1-tiny", 4 * 21 * 96],
] as const)("%s: the loss with %d logits at once, and its gradients, are those of all", async (name, logitsAtOnce) => {
  const model = await fromPretrained(golden(name));
  const whole = await run(modelObjective(model));
  const before = memory().tensors;
  expectClose(await run(modelObjective(model, { logitsAtOnce })), whole);
  expectClose(await run(modelObjective(model, { logitsAtOnce, recompute: true })), whole);
  expect(memory().tensors).toBe(before);
  model.dispose();
});

it("serves adapters, on the head too", async () => {
  const model = await fromPretrained(golden("granite-h-tiny"), { weights: "q8" });
  const adapter = await addAdapter(model, { rank: 2, targetModules: ["lm_head", "q_proj"] });
  for (const { B: weight } of adapter.lowRanks) weight.assign(new Float32Array(weight.size).fill(0.02));
  expectClose(await run(adapterObjective(adapter, { logitsAtOnce: 700 })), await run(adapterObjective(adapter)));
  model.dispose();
});
