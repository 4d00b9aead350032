import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { memory, registerBackend, Rng, setBackend, tensor, tidy } from "@statespace/core";
import { fromHalves, toHalves } from "@statespace/core/ops";
import { parseSafetensors } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, ModelState, Session, type ModelConfig } from "../../src/index.ts";

const V = 29;
const LENGTH = 21;

const LAYERS: Readonly<Record<string, ModelConfig["layers"]>> = {
  plain: [{ kind: "attention", nHeads: 4, nHeadsKv: 2, headDim: 4, rotaryDim: 0 }],
  "rotated, sinks": [{ kind: "attention", nHeads: 4, nHeadsKv: 2, headDim: 6, rotaryDim: 4, sinks: true }],
  "convolved, neighbours, a gate": [
    { kind: "attention", nHeads: 2, headDim: 10, rotaryDim: 6, rotaryInterleaved: true, dConv: 3, outputGate: true },
  ],
  "a soft cap, keys normed": [{ kind: "attention", nHeads: 2, headDim: 8, qkNorm: "head", softCap: 2 }],
  "a window, sinks": [{ kind: "attention", nHeads: 4, nHeadsKv: 1, headDim: 4, window: 6, sinks: true }],
  "a window wider than the text": [{ kind: "attention", nHeads: 2, headDim: 4, window: 40, softCap: 2 }],
  "a hybrid": [
    { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
    { kind: "attention", nHeads: 4, nHeadsKv: 2, headDim: 4, rotaryDim: 4 },
    { kind: "attention", nHeads: 4, nHeadsKv: 2, headDim: 4, rotaryDim: 4, window: 4 },
  ],
};
const NAMES = Object.keys(LAYERS);

function make(name: string, type: "f32" | "f16"): Model {
  const model = new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: V },
      layers: LAYERS[name]!,
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    11,
  );
  model.cacheType = type;
  return model;
}

const IDS = Int32Array.from({ length: 2 * LENGTH }, (_, i) => (i * i * 7 + 3 * i) % V);
const piece = (from: number, to: number): Int32Array =>
  Int32Array.from([...IDS.subarray(from, to), ...IDS.subarray(LENGTH + from, LENGTH + to)]);

/** Answers to all tokens of two rows, read in pieces of these lengths, of which one of 1 is a step, on a reserved state or not. */
function answers(
  model: Model,
  lengths: readonly number[],
  reserved: boolean,
): { logits: Float32Array; state: ModelState } {
  const logits = new Float32Array(2 * LENGTH * V);
  let state = model.initialState(2);
  let at = 0;
  for (const l of lengths) {
    if (l === 1) {
      if (reserved) model.reserve(state, 2, Math.max(8, at + 1));
      const y = tidy(() => model.step(tensor(piece(at, at + 1), [2]), state));
      const values = y.dataSync();
      for (const row of [0, 1]) logits.set(values.subarray(row * V, (row + 1) * V), (row * LENGTH + at) * V);
      y.dispose();
    } else {
      const { output, state: next } = tidy(() =>
        model.forward(tensor(piece(at, at + l), [2, l]), { initialState: state, returnState: true }),
      );
      const values = output.dataSync();
      for (const row of [0, 1]) logits.set(values.subarray(row * l * V, (row + 1) * l * V), (row * LENGTH + at) * V);
      output.dispose();
      state.dispose();
      state = next!;
    }
    at += l;
  }
  return { logits, state };
}

const peakOf = (x: Float32Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = (x: Float32Array, y: Float32Array): number => peakOf(x.map((value, i) => value - y[i]!)) / peakOf(y);

/**
 * Each way of reading rounds the same keys and values to halves. Where they differ by a float's rounding, a few may fall to the next half,
 * 2^-10 off at most: one key of many tokens, and less of what they answer.
 */
const SAME = 2 ** -10;
/** All keys and values are half a step of 2^-10 off at most, and scores sum over channels. */
const ROUNDED = 2 ** -6;

describe.each(["cpu", "wasm"])("a cache of halves on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend(wasmBackend({ threads: 2 }));
    await setBackend(backend);
  });

  it.each(NAMES)("%s: steps, parts and the whole agree, and are float32's but for the rounding", (name) => {
    const before = memory().tensors;
    const [halves, floats] = [make(name, "f16"), make(name, "f32")];
    const ones = Array<number>(LENGTH).fill(1);
    const whole = answers(halves, [LENGTH], false);
    const ways = [
      answers(halves, ones, false),
      answers(halves, ones, true),
      answers(halves, [2, 5, 1, 7, 6], false),
      answers(halves, [9, ...ones.slice(9)], true),
    ];
    for (const way of ways) {
      expect(apart(way.logits, whole.logits)).toBeLessThan(SAME);
      way.state.dispose();
    }
    const exact = answers(floats, [LENGTH], false);
    const off = apart(whole.logits, exact.logits);
    expect(off).toBeLessThan(ROUNDED);
    expect(off).toBeGreaterThan(0);
    // What has no state has nothing to round.
    const plain = [halves, floats].map((model) =>
      tidy(() => model.forward(tensor(IDS, [2, LENGTH])).output.dataSync()),
    );
    expect(plain[0]).toEqual(plain[1]);
    for (const { state } of [whole, exact]) state.dispose();
    for (const model of [halves, floats]) model.dispose();
    expect(memory().tensors).toBe(before);
  });

  it.each(NAMES)(
    "%s: takes half the memory, in a state and in its file, and comes back to the last bit",
    async (name) => {
      const [halves, floats] = [make(name, "f16"), make(name, "f32")];
      const lengths = [9, ...Array<number>(LENGTH - 9).fill(1)];
      const [{ state }, { state: wide }] = [answers(halves, lengths, true), answers(floats, lengths, true)];
      const cachesOf = (x: ModelState): number =>
        [...x.tensors()].reduce((sum, [key, t]) => sum + (/(keys|values)$/i.test(key) ? 4 * t.size : 0), 0);
      expect(cachesOf(state)).toBe(cachesOf(wide) / 2);
      expect(wide.bytes - state.bytes).toBe(cachesOf(state));
      const held = memory().bytes;
      const copy = state.clone();
      expect(memory().bytes - held).toBe(copy.bytes);
      copy.dispose();
      const bytes = await state.toBytes();
      const types = [...parseSafetensors(bytes).tensors].map(([key, { dtype }]) => [
        /(keys|values)$/i.test(key),
        dtype,
      ]);
      expect(new Set(types.map(String))).toEqual(new Set(["true,F16", "false,F32"]));
      const again = ModelState.fromBytes(bytes);
      expect(await again.toBytes()).toEqual(bytes);
      // Where it came back, it goes on as the one that was never away.
      const next = [state.clone(), again].map((each) => {
        halves.reserve(each, 2, 32);
        return tidy(() =>
          halves
            .step(tensor(Int32Array.of(3, 4), [2]), each)
            .dataSync()
            .slice(),
        );
      });
      expect(next[0]).toEqual(next[1]);
    },
  );

  it("rounds as IEEE says, to infinity and back, and keeps what is no number", () => {
    const x = Float32Array.of(65504, 65520, -1e30, Number.POSITIVE_INFINITY, Number.NaN, 1 + 2 ** -11, 2 ** -24, -0);
    const back = tidy(() => fromHalves(toHalves(tensor(x, [2, 4]))).dataSync());
    const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
    expect([...back]).toEqual([65504, inf, -inf, inf, nan, 1, 2 ** -24, -0]);
  });

  it("is another's: a session of floats is not taken for one of halves, and says so", async () => {
    const [halves, floats] = [make("a hybrid", "f16"), make("a hybrid", "f32")];
    const session = new Session(halves);
    await session.read([1, 2, 3]);
    const bytes = await session.save();
    expect(() => new Session(floats).restore(bytes)).toThrow("how its weights or caches are kept differs");
    floats.cacheType = "f16";
    new Session(floats).restore(bytes);
    // A state that is there goes on as it is.
    const { state } = answers(make("plain", "f32"), [LENGTH], false);
    const model = make("plain", "f16");
    const { state: next } = tidy(() =>
      model.forward(tensor(piece(0, 2), [2, 2]), { initialState: state, returnState: true }),
    );
    expect([...next!.tensors()].every(([, t]) => t.dtype === "float32")).toBe(true);
  });

  it("is refused by name where it is none, and where heads are odd", () => {
    const model = make("plain", "f32");
    expect(() => (model.cacheType = "q8" as "f16")).toThrow('cacheType must be one of f32, f16, got "q8"');
    expect(() => (model.cacheType = "float16" as "f16")).toThrow('did you mean "f16"?');
    const odd = new Model({
      dModel: 6,
      encoder: { kind: "embedding", vocabSize: 5 },
      layers: [{ kind: "attention", nHeads: 2, headDim: 3, rotaryDim: 2 }],
      head: { kind: "language" },
    });
    expect(() => (odd.cacheType = "f16")).toThrow("cacheType f16 needs an even headDim, got 3");
    expect(odd.cacheType).toBe("f32");
  });
});

describe("rounding is drawn out", () => {
  it("halves of random floats are the nearest ones", () => {
    const rng = new Rng(4);
    const x = Float32Array.from({ length: 4096 }, () => rng.normal() * 2 ** (40 * rng.uniform() - 30));
    const back = tidy(() => fromHalves(toHalves(tensor(x, [64, 64]))).dataSync());
    x.forEach((value, i) => {
      if (Math.abs(value) > 65504) return;
      const step = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10));
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(step / 2);
    });
  });
});
