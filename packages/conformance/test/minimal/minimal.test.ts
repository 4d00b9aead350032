import { cpuBackend } from "@statespace/backend-cpu";
import {
  AdamW,
  meanCrossEntropy,
  mul,
  readFloats,
  setBackend,
  sum,
  tensor,
  valueAndGrads,
  type BackendDefinition,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { Model, nextTokenTargets, parseModelConfig, type MixerSettings } from "@statespace/models";
import { describe, expect, it } from "vitest";
import { minimalBackend } from "./definition.ts";
import { minimalKernels } from "./kernels.ts";

/** A model with its output and its loss, made on the backend that is set. */
interface Subject {
  readonly parameters: readonly Parameter[];
  forward(): Tensor;
  loss(): Tensor;
}

type Values = ReadonlyMap<string, Float32Array>;

/** Output, loss, every gradient, and every parameter after an optimizer's step. */
async function outcome(backend: BackendDefinition, make: () => Subject): Promise<Values> {
  await setBackend(backend);
  const subject = make();
  const values = new Map<string, Float32Array>([["output", await readFloats(subject.forward())]]);
  const optimizer = new AdamW(subject.parameters, { learningRate: 1e-2 });
  const { value, grads } = valueAndGrads(
    () => subject.loss(),
    subject.parameters.map((p) => p.value),
  );
  values.set("loss", await readFloats(value));
  for (const [i, { name }] of subject.parameters.entries()) values.set(`d ${name}`, await readFloats(grads[i]!));
  optimizer.step(grads);
  for (const { name, value: stepped } of subject.parameters) values.set(`${name}, stepped`, await readFloats(stepped));
  return values;
}

/** The largest difference of each, over its largest value. */
async function differences(make: () => Subject): Promise<Record<string, number>> {
  const got = await outcome(minimalBackend(), make);
  const want = await outcome(cpuBackend(), make);
  expect([...got.keys()]).toEqual([...want.keys()]);
  return Object.fromEntries(
    [...want].map(([name, expected]) => {
      const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
      const most = expected.reduce((worst, x, i) => Math.max(worst, Math.abs(x - got.get(name)![i]!)), 0);
      return [name, most / scale];
    }),
  );
}

function languageModel(): Subject {
  const model = new Model(
    parseModelConfig({ model_type: "mamba", hidden_size: 12, num_hidden_layers: 2, vocab_size: 19, state_size: 4 }),
    3,
  );
  const row = Int32Array.from({ length: 18 }, (_, i) => (i * i + 3) % 19);
  const ids = tensor(row, [2, 9]);
  const targets = tensor(nextTokenTargets(row, 9), [2, 9]);
  return {
    parameters: [...model.parameters],
    forward: () => model.forward(ids).output,
    loss: () => model.loss(ids, targets),
  };
}

function sequenceModel(layer: MixerSettings): Subject {
  const model = new Model(
    {
      dModel: 6,
      encoder: { kind: "linear", channels: 2 },
      layers: [layer],
      head: { kind: "regression", outputs: 1, pooling: "none" },
    },
    5,
  );
  const x = tensor(
    Float32Array.from({ length: 44 }, (_, i) => Math.sin(i * i)),
    [2, 11, 2],
  );
  const weights = tensor(
    Float32Array.from({ length: 22 }, (_, i) => Math.cos(i)),
    [2, 11, 1],
  );
  const forward = (): Tensor => model.forward(x).output;
  return { parameters: [...model.parameters], forward, loss: () => sum(mul(forward(), weights)) };
}

/**
 * Compositions round every part of what a kernel rounds once. A token's way through two layers is some hundred of them, a gradient's
 * twice that; where the terms of a gradient cancel, they show as many times over.
 */
const ROUNDINGS = 512 * 2 ** -24;

describe("a backend of fifteen kernels", () => {
  it("has fifteen, beside the contract's aliases", () => {
    expect(Object.keys(minimalKernels).filter((name) => name !== "identity" && name !== "reshape")).toHaveLength(15);
  });
  it("runs, trains and steps a Mamba language model of two layers as the cpu backend does", async () => {
    for (const [name, difference] of Object.entries(await differences(languageModel)))
      expect(difference, name).toBeLessThan(ROUNDINGS);
  }, 120_000);
  it.each<MixerSettings>([
    { kind: "s4d", dState: 4 },
    { kind: "s4", dState: 4, kernelLength: 16 },
    { kind: "s5", dState: 8, blocks: 2 },
    { kind: "mamba2", dState: 4, headDim: 4, chunkSize: 4 },
    { kind: "mamba3", dState: 8, headDim: 4, chunkSize: 4, mimo: true },
    { kind: "attention", nHeads: 2 },
    { kind: "gru" },
  ])(
    "runs, trains and steps a layer of kind $kind as the cpu backend does",
    async (layer) => {
      for (const [name, difference] of Object.entries(await differences(() => sequenceModel(layer))))
        expect(difference, name).toBeLessThan(ROUNDINGS);
    },
    120_000,
  );
});

describe("compositions", () => {
  it("run where their operands are, whatever backend is set", async () => {
    await setBackend(minimalBackend());
    const logits = tensor([0.5, -1, 2, 0, 1, -0.5], [2, 3]);
    const targets = tensor(Int32Array.of(2, 0));
    await setBackend(cpuBackend());
    const { value, grads } = valueAndGrads(() => meanCrossEntropy(logits, targets), [logits]);
    expect([value.backend.name, grads[0]!.backend.name]).toEqual(["minimal", "minimal"]);
    const p = Math.exp(2) / (Math.exp(0.5) + Math.exp(-1) + Math.exp(2));
    const q = 1 / (1 + Math.exp(1) + Math.exp(-0.5));
    expect((await readFloats(value))[0]).toBeCloseTo(-(Math.log(p) + Math.log(q)) / 2, 5);
  });
});
