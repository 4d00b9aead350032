import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { parameter, readFloats, Rng, setBackend, tensor } from "@statespace/core";
import { AdamW, AdamW8, currentBackend, EightBit } from "@statespace/core/backend";
import {
  memoryStore,
  Model,
  modelObjective,
  train,
  type OptimizerSettings,
  type TrainOptions,
} from "@statespace/models";
import { beforeEach, describe, expect, it } from "vitest";
import { collect, countingStream, curve } from "./tinyRun.ts";

/** The codes by their definition, in float64. */
function kept(values: readonly number[], kind: "signed" | "positive"): number[] {
  return values.map((x, i) => {
    const from = 256 * Math.floor(i / 256);
    const largest = Math.max(...values.slice(from, from + 256).map(Math.abs));
    if (largest === 0) return 0;
    const share = Math.abs(x) / largest;
    if (kind === "signed") return Math.sign(x) * largest * (Math.round(127 * Math.sqrt(share)) / 127) ** 2;
    const code = Math.max(Math.round(254 * share ** 0.25), x > 0 ? 1 : 0);
    return largest * (code / 254) ** 4;
  });
}

describe.each([
  ["cpu", cpuBackend()],
  ["wasm", wasmBackend({ threads: 2 })],
])("%s", (_, backend) => {
  beforeEach(() => setBackend(backend));

  it.each(["signed", "positive"] as const)("a byte a number, %s: as defined, and again the same", async (kind) => {
    const rng = new Rng(4);
    // Two whole blocks and a part of one; the second is zeros.
    const values = Array.from({ length: 700 }, (_, i) => {
      if (i >= 256 && i < 512) return 0;
      const x = rng.normal() * 10 ** rng.uniform(-6, 0);
      return kind === "positive" ? x * x : x;
    });
    const moment = new EightBit([7, 100], kind, currentBackend());
    expect(moment.bytes).toBe(4 * (3 * 64 + 3));
    const input = tensor(Float32Array.from(values), [7, 100]);
    moment.write(input);
    const read = moment.read();
    const got = [...(await readFloats(read))];
    const want = kept([...Float32Array.from(values)], kind);
    // A number halfway between two codes may go to either.
    const off = got.filter((value, i) => Math.abs(value - want[i]!) > 1e-5 * Math.abs(want[i]!));
    expect(off.length).toBeLessThan(3);
    moment.write(read);
    const twice = moment.read();
    expect([...(await readFloats(twice))]).toEqual(got);
    const copy = new EightBit([7, 100], kind, currentBackend());
    const { words, scales } = await moment.save();
    expect(copy.restore(words, scales)).toBe(true);
    expect(copy.restore(words.slice(1), scales)).toBe(false);
    const restored = copy.read();
    expect([...(await readFloats(restored))]).toEqual(got);
    for (const t of [input, read, twice, restored]) t.dispose();
    for (const each of [moment, copy]) each.dispose();
  });

  it("small parameters are AdamW's, bit for bit, and large ones take a quarter", async () => {
    const start = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i));
    const [small, same] = [parameter("a", Float32Array.of(1, 2), [2]), parameter("a", Float32Array.of(1, 2), [2])];
    const large = parameter("b", start, [64, 64]);
    const eight = new AdamW8([small, large], { learningRate: 0.01 });
    const plain = new AdamW([same], { learningRate: 0.01 });
    for (const step of [1, 2, 3]) {
      const [g, big] = [
        tensor([step, -1]),
        tensor(
          start.map((x) => x * step),
          [64, 64],
        ),
      ];
      eight.step([g, big]);
      plain.step([g]);
      for (const t of [g, big]) t.dispose();
    }
    expect(await small.read()).toEqual(await same.read());
    expect(eight.bytes).toBe(2 * 4096 + 2 * 4 * 16);
    for (const each of [eight, plain]) each.dispose();
  });

  const config = {
    dModel: 32,
    encoder: { kind: "embedding", vocabSize: 11 },
    layers: [{ kind: "mamba", dState: 4 }],
    head: { kind: "language", tie: true },
  } as const;
  const options: TrainOptions = { steps: 60, seed: 1, schedule: () => 1 };
  const run = async (optimizer: OptimizerSettings, more: TrainOptions = {}): Promise<Map<string, string>> => {
    const model = new Model(config, 3);
    const stream = countingStream(5, { b: 4, l: 8 });
    const { events, error } = await collect(train(modelObjective(model), stream, { ...options, optimizer, ...more }));
    expect(error).toBeUndefined();
    model.dispose();
    return curve(events);
  };
  const lossAt = (points: Map<string, string>, step: number): number =>
    (JSON.parse(points.get(`step ${step}`)!) as number[])[0]!;

  it("a run is as AdamW's: losses differ by a few hundredths of what was learnt", async () => {
    const settings = { learningRate: 3e-3, beta2: 0.95 };
    const [eight, plain] = [await run({ kind: "adamW8", ...settings }), await run(settings)];
    const learnt = lossAt(plain, 1) - lossAt(plain, 60);
    expect(learnt).toBeGreaterThan(1);
    for (let step = 1; step <= 60; step++)
      expect(Math.abs(lossAt(eight, step) - lossAt(plain, step))).toBeLessThan(0.05 * learnt);
  });

  it("a run that was stopped goes on bit for bit", async () => {
    const optimizer = { kind: "adamW8", learningRate: 3e-3 } as const;
    const whole = await run(optimizer, { steps: 8 });
    const store = memoryStore();
    await run(optimizer, { steps: 3, checkpoints: { store } });
    const rest = await run(optimizer, { steps: 8, checkpoints: { store }, resume: true });
    expect(rest.size).toBe(5);
    for (const [point, value] of rest) expect(`${point} ${value}`).toBe(`${point} ${whole.get(point)}`);
  });
});
