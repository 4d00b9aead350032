import { mul, reshape, Rng, setBackend, sum, tensor, valueAndGrads, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, ParameterBuilder, type LayerSettings, type Mixer } from "../../src/index.ts";
import { ConfigFields } from "../../src/config/fields.ts";
import { mixers, type MixerKind } from "../../src/mixers/registry.ts";
import { float64Backend } from "../float64Backend.ts";

beforeAll(() => setBackend(float64Backend()));

const D = 4;
const L = 7;
const make = (kind: MixerKind, settings: Readonly<Record<string, string | number | boolean>>): Mixer =>
  mixers[kind].read(new ConfigFields(settings), D).make(new ParameterBuilder(new Rng(3)));
const values = (t: Tensor): number[] => Array.from(t.dataSync() as ArrayLike<number>);
const random = (seed: number, shape: readonly number[]): Tensor => {
  const rng = new Rng(seed);
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()),
    shape,
  );
};
const GAPS = [1, 0.5, 2, 0.25, 3, 1, 1.5];
const gaps = (rows: number): Tensor =>
  tensor(
    Float32Array.from({ length: rows * L }, (_, i) => GAPS[i % L]!),
    [rows, L],
  );
const close = (got: readonly number[], want: readonly number[], bound = 1e-10): void => {
  expect(got.length).toBe(want.length);
  const peak = Math.max(...want.map(Math.abs));
  expect(peak).toBeGreaterThan(0);
  got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThan(bound * peak));
};

const kinds: readonly [MixerKind, Readonly<Record<string, string | number | boolean>>][] = [
  ["s5", { dState: 4 }],
  ["s5", { dState: 4, bidirectional: true }],
  ["s5", { dState: 4, discretization: "bilinear" }],
  ["s4d", { dState: 4 }],
  ["s4d", { dState: 4, discretization: "bilinear", channels: 2 }],
  ["mamba", { dState: 3, expand: 2 }],
  ["mamba2", { dState: 4, headDim: 4, expand: 2 }],
];

describe.each(kinds)("%s %j at times of its own", (kind, settings) => {
  const looksAhead = settings["bidirectional"] === true;

  it("the usual times are as none", () => {
    const mixer = make(kind, settings);
    const x = random(1, [2, L, D]);
    const ones = tensor(new Float32Array(2 * L).fill(1), [2, L]);
    // A convolution and a recurrence sum in other orders.
    close(values(mixer.forward(x, { gaps: ones }).y), values(mixer.forward(x).y), 1e-9);
    const other = values(mixer.forward(x, { gaps: gaps(2) }).y);
    expect(other).not.toEqual(values(mixer.forward(x).y));
  });

  if (!looksAhead)
    it("any split with its state carried = whole", () => {
      const mixer = make(kind, settings);
      const x = random(2, [2, L, D]);
      const times = gaps(2);
      const whole = values(mixer.forward(x, { gaps: times }).y);
      const cut = (t: Tensor, from: number, length: number): Tensor => sliceAxis(t, 1, from, length);
      const first = mixer.forward(cut(x, 0, 3), { gaps: cut(times, 0, 3), returnState: true });
      const second = mixer.forward(cut(x, 3, L - 3), { gaps: cut(times, 3, L - 3), initialState: first.state! });
      const joined = [0, 1].flatMap((row) => [
        ...values(first.y).slice(row * 3 * D, (row + 1) * 3 * D),
        ...values(second.y).slice(row * (L - 3) * D, (row + 1) * (L - 3) * D),
      ]);
      close(joined, whole);
    });

  it("gradients reach the weights through the gaps", () => {
    const mixer = make(kind, settings);
    const x = random(4, [1, L, D]);
    const weights = random(5, [1, L, D]);
    const own = mixer.parameters.find(({ name }) => /A_log|inv_dt|log_step/.test(name))!;
    const run = (): Tensor => sum(mul(mixer.forward(x, { gaps: gaps(1) }).y, weights));
    const { grads } = valueAndGrads(run, [own.value]);
    const gradient = values(grads[0]!)[0]!;
    const base = values(own.value);
    const at = (change: number): number => {
      const moved = base.slice();
      moved[0] = moved[0]! + change;
      own.replace(tensor(moved, own.shape));
      return values(run())[0]!;
    };
    const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
    expect(Math.abs(gradient - difference)).toBeLessThan(1e-6 * Math.max(1e-2, Math.abs(difference)));
  });
});

describe("a model of irregular sequences", () => {
  it.each(kinds.filter(([, settings]) => settings["bidirectional"] !== true))(
    "of %s %j: step by step, each token at its time = whole",
    (kind, settings) => {
      const model = new Model(
        {
          dModel: D,
          encoder: { kind: "linear", channels: 1 },
          layers: [{ kind, ...settings } as LayerSettings, { kind: "mlp" }],
          head: { kind: "regression", outputs: 1, pooling: "none" },
          irregular: true,
        },
        1,
      );
      const x = random(6, [2, L, 1]);
      // The rows' tokens come at different times.
      const times = mul(gaps(2), tensor([1, 0.5], [2, 1]));
      const whole = values(model.forward(x, { gaps: times }).output);
      const state = model.initialState(2);
      const at = (t: Tensor, i: number): Tensor => sliceAxis(t, 1, i, 1);
      const steps = Array.from({ length: L }, (_, i) =>
        values(model.step(reshape(at(x, i), [2, 1]), state, { gaps: reshape(at(times, i), [2]) })),
      );
      close(
        [0, 1].flatMap((row) => steps.map((step) => step[row]!)),
        whole,
        1e-9,
      );
      const none = model.initialState(2);
      const even = Array.from({ length: L }, (_, i) => values(model.step(reshape(at(x, i), [2, 1]), none))[0]!);
      close(even, values(model.forward(x).output).slice(0, L), 1e-9);
      expect(even).not.toEqual(whole.slice(0, L));
      state.dispose();
      none.dispose();
      model.dispose();
    },
  );

  it("refuses layers whose memory has no step, and gaps that it does not expect", () => {
    const config = {
      dModel: D,
      encoder: { kind: "linear", channels: 1 },
      head: { kind: "regression", outputs: 1 },
    } as const;
    expect(() => new Model({ ...config, layers: ["s5", "gru"], irregular: true }, 1)).toThrow(
      /irregular: layers\.1: gru has no step that the time between tokens scales/,
    );
    const s4d = { kind: "s4d", bidirectional: true } as const;
    expect(() => new Model({ ...config, layers: [s4d], irregular: true }, 1)).toThrow(/layers\.0: s4d has no step/);
    const even = new Model({ ...config, layers: ["s5"] }, 1);
    expect(() => even.forward(random(1, [1, L, 1]), { gaps: gaps(1) })).toThrow(/whose config says irregular/);
    const irregular = new Model({ ...config, layers: ["s5"], irregular: true }, 1);
    expect(() => irregular.forward(random(1, [1, 3, 1]), { gaps: gaps(1) })).toThrow(
      /gaps must be \[b, l\] = \[1, 3\]/,
    );
    const state = irregular.initialState(1);
    const one = tensor([1], [1, 1]);
    expect(() => irregular.step(one, state, { gaps: gaps(1) })).toThrow(
      /step: gaps must be \[b\] = \[1\], got \[1, 7\]/,
    );
    expect(() => irregular.step(one, state, { gap: tensor([1], [1]) } as object)).toThrow(/gap.*gaps/);
    expect(() => even.step(one, even.initialState(1), { gaps: tensor([1], [1]) })).toThrow(
      /step: gaps are for a model/,
    );
    for (const model of [even, irregular]) model.dispose();
  });
});
