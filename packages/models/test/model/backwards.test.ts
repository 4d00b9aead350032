import { Rng, setBackend, tensor, valueAndGrads, type Tensor } from "@statespace/core";
import { reverse, sliceAxis } from "@statespace/core/ops";
import { cpuBackend } from "@statespace/backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import {
  Model,
  modelObjective,
  type HeadConfig,
  type LayerSettings,
  type LossResult,
  type ModelConfig,
} from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const L = 11;
const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);
const close = (got: readonly number[], want: readonly number[]): void => {
  expect(got.length).toBe(want.length);
  const peak = Math.max(...want.map(Math.abs));
  expect(peak).toBeGreaterThan(0);
  got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThan(2e-5 * peak));
};
/** Looks both ways: side by side, one mixer from each end. */
const bothWays = (kind: "mamba" | "mamba2" | "gru"): LayerSettings => {
  const settings = kind === "mamba2" ? { headDim: 4, dState: 4 } : {};
  return {
    mixers: [
      { kind, ...settings },
      { kind, ...settings, reverse: true },
    ],
  };
};

describe.each(["mamba", "mamba2", "gru"] as const)("a layer of %s that looks both ways", (kind) => {
  const config = (head: HeadConfig, layers: readonly LayerSettings[]): ModelConfig => ({
    dModel: 8,
    encoder: { kind: "linear", channels: 2 },
    layers,
    head,
  });
  const input = (): Tensor =>
    tensor(
      Float32Array.from({ length: 2 * L * 2 }, (_, i) => Math.sin(i * i)),
      [2, L, 2],
    );
  const perToken: HeadConfig = { kind: "regression", outputs: 3, pooling: "none" };

  it("read backwards is forwards of the turned", () => {
    const back = new Model(
      config(perToken, [{ mixers: [{ kind, reverse: true, ...(kind === "mamba2" && { headDim: 4 }) }] }]),
      1,
    );
    const ahead = new Model(config(perToken, [{ mixers: [{ kind, ...(kind === "mamba2" && { headDim: 4 }) }] }]), 1);
    const mine = input();
    close(values(back.forward(mine).output), values(reverse(ahead.forward(reverse(mine, 1)).output, 1)));
    for (const model of [back, ahead]) model.dispose();
  });

  it.each([perToken, { kind: "classification", classes: 3 } as const])("padding is not there, %j", (head) => {
    const model = new Model(config(head, [bothWays(kind), bothWays(kind)]), 1);
    const mine = input();
    const { output } = model.forward(mine, { lengths: Int32Array.of(L, 6) });
    const alone = model.forward(sliceAxis(sliceAxis(mine, 0, 1, 1), 1, 0, 6)).output;
    const second = values(output).slice(output.size / 2);
    close(second.slice(0, alone.size), values(alone));
    model.dispose();
  });

  it("has no state", () => {
    const model = new Model(config(perToken, [bothWays(kind)]), 1);
    const mine = input();
    expect(() => model.forward(mine, { returnState: true })).toThrow(/read backwards.*need the whole sequence/);
    expect(() => model.step(tensor([1, 1], [1, 2]), model.initialState(1))).toThrow(/need the whole sequence/);
    model.dispose();
  });
});

describe("both strands (Caduceus)", () => {
  // N A C G T: A and T, C and G.
  const complement = [0, 4, 3, 2, 1];
  const strands = (
    head: HeadConfig,
    layers: readonly LayerSettings[] = [bothWays("mamba"), bothWays("mamba")],
  ): Model =>
    new Model({ dModel: 8, encoder: { kind: "embedding", vocabSize: 5, complement }, layers, head, mlp: 8 }, 4);
  const rng = new Rng(8);
  const dna = Int32Array.from({ length: L }, () => rng.integer(5));
  const other = dna.map((_, i) => complement[dna[L - 1 - i]!]!);
  const run = (model: Model, ids: Int32Array): number[] =>
    values(model.forward(tensor(ids, [1, ids.length], { dtype: "int32" })).output);

  it("logits of the other strand are those of this one, turned and exchanged", () => {
    const model = strands({ kind: "language" });
    const [mine, theirs] = [run(model, dna), run(model, other)];
    close(
      theirs,
      theirs.map((_, i) => mine[(L - 1 - Math.floor(i / 5)) * 5 + complement[i % 5]!]!),
    );
    model.dispose();
  });

  it("answers to tokens turn, answers to the whole are the same", () => {
    const each = strands({ kind: "classification", classes: 3, pooling: "none" });
    const [mine, theirs] = [run(each, dna), run(each, other)];
    close(
      theirs,
      theirs.map((_, i) => mine[(L - 1 - Math.floor(i / 3)) * 3 + (i % 3)]!),
    );
    const whole = strands({ kind: "classification", classes: 3 });
    close(run(whole, other), run(whole, dna));
    // And the strand does matter to layers that read one way.
    const plain = new Model(
      {
        dModel: 8,
        encoder: { kind: "embedding", vocabSize: 5 },
        layers: ["mamba"],
        head: { kind: "classification", classes: 3 },
      },
      4,
    );
    expect(run(plain, other)).not.toEqual(run(plain, dna));
    for (const model of [each, whole, plain]) model.dispose();
  });

  it("holds in rows of different lengths", () => {
    const model = strands({ kind: "language" });
    const short = dna.slice(0, 7);
    const rows = Int32Array.from([...dna, ...short, 1, 2, 1, 2]);
    const { output } = model.forward(tensor(rows, [2, L], { dtype: "int32" }), { lengths: Int32Array.of(L, 7) });
    close(values(output).slice(5 * L, 5 * (L + 7)), run(model, short));
    model.dispose();
  });

  it("losses and gradients are the same of either strand, recomputed or not", () => {
    const model = strands({ kind: "classification", classes: 3 });
    const loss = (ids: Int32Array, recompute: boolean): { value: Tensor; grads: readonly (Tensor | null)[] } => {
      const batch = { inputs: ids, shape: [1, L], targets: Int32Array.of(1), targetShape: [1] };
      const context = { carried: undefined, rng: new Rng(0) };
      const objective = modelObjective(model, { recompute });
      const weights = model.parameters.map(({ value }) => value);
      return valueAndGrads(() => (objective.loss(batch, context) as LossResult).loss, weights);
    };
    const [one, two, again] = [loss(dna, false), loss(other, false), loss(dna, true)];
    close(values(two.value), values(one.value));
    model.parameters.forEach(({ name }, i) => {
      if (/in_proj|head/.test(name)) close(values(two.grads[i]!), values(one.grads[i]!));
      close(values(again.grads[i]!), values(one.grads[i]!));
    });
    model.dispose();
  });

  it.each<[string, readonly number[], RegExp]>([
    ["too few", [0, 2, 1], /encoder\.complement must be 5 ids/],
    ["one that does not come back", [0, 2, 3, 4, 1], /each the complement of its own complement/],
  ])("refuses complements: %s", (_, wrong, message) => {
    const config: ModelConfig = {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: 5, complement: wrong },
      layers: ["mamba"],
      head: { kind: "language" },
    };
    expect(() => new Model(config, 1)).toThrow(message);
  });
});
