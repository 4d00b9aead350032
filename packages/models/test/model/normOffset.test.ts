import { cpuBackend } from "@statespace/backend-cpu";
import { memory, readFloats, setBackend, tensor } from "@statespace/core";
import { beforeAll, expect, it } from "vitest";
import { Model } from "../../src/index.ts";

const config = {
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 16 },
  layers: [{ kind: "gatedDelta", nHeads: 2, headDim: 4, dState: 4 }],
  head: { kind: "language" },
  norm: "rms",
  normOffset: 1,
} as const;

beforeAll(() => setBackend(cpuBackend()));

async function logits(model: Model): Promise<number[]> {
  const ids = tensor(Int32Array.of(3, 5), [1, 2]);
  const { output } = model.forward(ids);
  const values = await readFloats(output);
  for (const t of [ids, output]) t.dispose();
  return Array.from(values);
}

it("a norm's weight with its offset is kept between calls, follows the weight, and goes with the model", async () => {
  const before = memory().tensors;
  const model = new Model(config, 1);
  const first = await logits(model);
  const held = memory().tensors;
  expect(await logits(model)).toEqual(first);
  expect(memory().tensors).toBe(held);
  const weight = model.normF.weight;
  weight.assign(new Float32Array(8).fill(1));
  const doubled = await logits(model);
  doubled.forEach((value, i) => expect(value).toBeCloseTo(2 * first[i]!, 4));
  model.dispose();
  expect(memory().tensors).toBe(before);
});
