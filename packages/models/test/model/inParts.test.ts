import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, memory, setBackend, tensor, type Tensor } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, usualGap, type ModelState } from "../../src/index.ts";

const V = 32;
const LAYERS = [
  { kind: "mamba", dState: 4 },
  { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
  { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
] as const;

const languageModel = (): Model =>
  new Model(
    { dModel: 8, encoder: { kind: "embedding", vocabSize: V }, layers: [...LAYERS], head: { kind: "language" } },
    3,
  );

const bitsOf = (output: Tensor, state: ModelState): unknown => [
  [...output.dataSync()],
  [...state.tensors()].map(([name, t]) => [name, [...t.dataSync()]]),
  state.position,
];

beforeAll(() => setBackend(cpuBackend()));

describe("a chunk in parts of the layers", () => {
  it.each([1, 2, 3, 7])("in %i has the bits of one, from a state on; every tensor is freed", (parts) => {
    const model = languageModel();
    const [before, ids] = [tensor(Int32Array.of(1, 2), [1, 2]), tensor(Int32Array.of(5, 9, 30, 0, 7), [1, 5])];
    const first = model.forward(before, { returnState: true, lastOnly: true });
    const { tensors } = memory();
    const whole = model.forward(ids, { initialState: first.state, returnState: true, lastOnly: true });
    const reading = model.forwardInParts(ids, first.state, parts);
    let rests = 0;
    let told = reading.next();
    for (; told.done !== true; told = reading.next()) rests++;
    expect(rests).toBe(Math.min(parts, LAYERS.length) - 1);
    expect(bitsOf(told.value.output, told.value.state)).toEqual(bitsOf(whole.output, whole.state!));
    for (const thing of [whole.output, whole.state!, told.value.output, told.value.state]) thing.dispose();
    expect(memory().tensors).toBe(tensors);
    for (const thing of [first.output, first.state!, before, ids, model]) thing.dispose();
  });

  it("that is left early frees what it made", () => {
    const model = languageModel();
    const ids = tensor(Int32Array.of(5, 9, 30), [1, 3]);
    model.forward(ids).output.dispose(); // what layers keep of their weights is there
    for (let rest = 1; rest <= 2; rest++) {
      const { tensors } = memory();
      const reading = model.forwardInParts(ids, undefined, 3);
      for (let i = 0; i < rest; i++) expect(reading.next().done).toBe(false);
      reading.return(undefined as never);
      expect(memory().tensors).toBe(tensors);
    }
    for (const thing of [ids, model]) thing.dispose();
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses %d parts, and a model that answers in units", (parts) => {
    const model = languageModel();
    const ids = tensor(Int32Array.of(5), [1, 1]);
    expect(() => model.forwardInParts(ids, undefined, parts).next()).toThrow(/parts must be a whole number >= 1, got/);
    const series = new Model(
      {
        dModel: 4,
        encoder: { kind: "linear", channels: 1 },
        layers: [{ kind: "mamba" }],
        head: { kind: "regression", outputs: 1 },
      },
      1,
    );
    const values = tensor(Float32Array.of(1), [1, 1, 1]);
    expect(() => series.forwardInParts(values, undefined, 1).next()).toThrow(ArgumentError);
    for (const thing of [ids, values, model, series]) thing.dispose();
  });
});

it("the usual gap is asked of irregular models alone", async () => {
  const model = languageModel();
  await expect(usualGap(model)).rejects.toThrow(/usualGap: the model takes no times/);
  model.dispose();
});
