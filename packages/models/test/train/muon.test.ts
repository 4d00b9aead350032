import { cpuBackend } from "@statespace/backend-cpu";
import { parameter, setBackend, tensor } from "@statespace/core";
import { AdamW, Muon } from "@statespace/core/backend";
import { memoryStore, modelObjective, train, type Model, type TrainOptions } from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";
import { collect, countingStream, curve, heldOut, tinyModel } from "./tinyRun.ts";

beforeAll(() => setBackend(cpuBackend()));

type Matrix = readonly (readonly number[])[];
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
const turned = (a: Matrix): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));
const combine = (a: Matrix, x: number, b: Matrix, y: number): number[][] =>
  a.map((row, i) => row.map((value, j) => x * value + y * b[i]![j]!));

/** The iteration as its author writes it, in float64. */
function orthogonalised(g: Matrix): number[][] {
  const tall = g.length > g[0]!.length;
  let x: Matrix = tall ? turned(g) : g;
  const norm = Math.hypot(...x.flat());
  x = x.map((row) => row.map((value) => value / norm));
  for (let i = 0; i < 5; i++) {
    const gram = product(x, turned(x));
    x = combine(x, 3.4445, product(combine(gram, -4.775, product(gram, gram), 2.0315), x), 1);
  }
  return tall ? turned(x) : x.map((row) => [...row]);
}

describe("Muon", () => {
  it.each([
    [2, 4],
    [4, 2],
  ])(
    "turns a matrix of %i by %i as its author's iteration does, and leaves the rest to AdamW",
    async (rows, columns) => {
      const values = (f: (i: number) => number): Float32Array =>
        Float32Array.from({ length: rows * columns }, (_, i) => f(i));
      const matrix = parameter("matrix", values(Math.cos), [rows, columns]);
      const vector = parameter("vector", Float32Array.of(1, 2), [2], { decay: false });
      const alone = parameter("alone", Float32Array.of(1, 2), [2], { decay: false });
      const settings = { learningRate: 0.02, weightDecay: 0.1 };
      const muon = new Muon([vector, matrix], settings);
      const adamW = new AdamW([alone], settings);
      const as = (flat: ArrayLike<number>): number[][] =>
        Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (__, j) => flat[i * columns + j]!));
      let [p, m] = [as(await matrix.read()), as(values(() => 0))];
      for (const step of [1, 2, 3]) {
        const g = values((i) => Math.sin(step * (i + 1)));
        const [grad, small] = [tensor(g, [rows, columns]), tensor([0.3, -step], [2])];
        const rate = 0.02 / step;
        muon.step([small, grad], rate);
        adamW.step([small], rate);
        m = combine(m, 0.95, as(g), 1);
        const update = orthogonalised(combine(as(g), 1, m, 0.95));
        p = combine(p, 1 - rate * 0.1, update, -rate * 0.2 * Math.sqrt(4));
        (await matrix.read()).forEach((value, i) => expect(value).toBeCloseTo(p.flat()[i]!, 5));
        expect(await vector.read()).toEqual(await alone.read());
      }
      expect(muon.momentsOf(matrix)).toEqual(["m"]);
      expect(muon.momentsOf(vector)).toEqual(["m", "v"]);
      muon.dispose();
      adamW.dispose();
    },
  );

  it("learns; tables and heads are AdamW's", async () => {
    const model = tinyModel();
    const store = memoryStore();
    const options: TrainOptions = {
      steps: 30,
      optimizer: { kind: "muon", learningRate: 0.01 },
      checkpoints: { store },
    };
    const { events } = await collect(train(modelObjective(model), countingStream(5), options));
    const losses = events.flatMap((event) => (event.kind === "step" ? [event.loss] : []));
    expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
    const [name] = await store.names();
    const header = new TextDecoder().decode((await store.read(name!, "optimizer.safetensors")).slice(8, 4000));
    expect(header).toContain('"m.layers.0.mixer.in_proj.weight"');
    expect(header).not.toContain('"v.layers.0.mixer.in_proj.weight"');
    expect(header).toContain('"v.encoder.weight"');
    model.dispose();
  });

  it.each([
    [{ kind: "muon", momentum: 1 } as const, /Muon: momentum must be in \[0, 1\), got 1/],
    [{ kind: "muon", nesterov: true } as object, /Muon: has no option nesterov; momentum may be meant/],
    [{ momentum: 0.9 }, /AdamW: has no option momentum/],
  ])("refuses %o", async (optimizer, message) => {
    const model = tinyModel();
    const { error } = await collect(train(modelObjective(model), countingStream(5), { steps: 1, optimizer }));
    expect((error as Error).message).toMatch(message);
    model.dispose();
  });
});

describe("a moving average of the weights", () => {
  const options: TrainOptions = {
    steps: 8,
    optimizer: { kind: "muon", learningRate: 0.02 },
    ema: 0.8,
    evaluation: { batches: heldOut, every: 2, keepBest: true },
    seed: 1,
  };
  const run = async (model: Model, more: TrainOptions): ReturnType<typeof collect> =>
    collect(train(modelObjective(model), countingStream(5), { ...options, schedule: () => 1, ...more }));

  it("is what the model has in the end, by its definition", async () => {
    const [plain, averaged] = [tinyModel(), tinyModel()];
    const name = "layers.0.mixer.in_proj.weight";
    let mean = await plain.parameter(name).read();
    const store = memoryStore();
    for (let step = 1; step <= 4; step++) {
      const { ema: _, ...rest } = options;
      await collect(
        train(modelObjective(plain), countingStream(5), {
          ...rest,
          schedule: () => 1,
          evaluation: { batches: heldOut, every: 100 },
          steps: step,
          checkpoints: { store },
          resume: true,
        }),
      );
      const decay = Math.min(0.8, (1 + step) / (10 + step));
      const weights = await plain.parameter(name).read();
      mean = mean.map((value, i) => decay * value + (1 - decay) * weights[i]!);
    }
    await run(averaged, { steps: 4, evaluation: { batches: heldOut, every: 100 } });
    (await averaged.parameter(name).read()).forEach((value, i) => expect(value).toBeCloseTo(mean[i]!, 6));
    for (const model of [plain, averaged]) model.dispose();
  });

  it("and the best weights go through a stop bit for bit, optimiser's moments too", async () => {
    const [whole, parts] = [tinyModel(), tinyModel()];
    const { events } = await run(whole, {});
    const store = memoryStore();
    for (const steps of [3, 5]) {
      const model = tinyModel();
      await run(model, { steps, checkpoints: { store }, resume: true });
      model.dispose();
    }
    const last = await run(parts, { checkpoints: { store }, resume: true });
    const points = curve(events);
    for (const [point, value] of curve(last.events)) expect(`${point} ${value}`).toBe(`${point} ${points.get(point)}`);
    for (const { name } of whole.parameters)
      expect(await parts.parameter(name).read()).toEqual(await whole.parameter(name).read());
    for (const model of [whole, parts]) model.dispose();
  });

  it("the weights of the lowest loss are those in the end, also where that was before a stop", async () => {
    const store = memoryStore();
    const wild = { optimizer: { learningRate: 0.02 }, checkpoints: { store }, resume: "changed" } as const;
    const first = tinyModel();
    const { ema: _, ...plain } = options;
    const begun = await collect(
      train(modelObjective(first), countingStream(5), { ...plain, ...wild, schedule: () => 1 }),
    );
    const best = begun.events
      .flatMap((event) => (event.kind === "evaluation" && event.isBest ? [event.loss] : []))
      .at(-1)!;
    const second = tinyModel();
    // A rate that ruins it: no evaluation is better than those before.
    const ruin = {
      ...plain,
      ...wild,
      steps: 12,
      optimizer: { learningRate: 3 },
      schedule: (): number => 1,
      clipNorm: null,
    };
    const ruined = await collect(train(modelObjective(second), countingStream(5), ruin));
    expect(ruined.events.some((event) => event.kind === "evaluation" && event.isBest)).toBe(false);
    const objective = modelObjective(second);
    let [total, count] = [0, 0];
    for (const batch of heldOut()) {
      const { loss } = objective.measure!(batch, { carried: undefined, rng: undefined as never });
      total += (loss.dataSync() as Float32Array)[0]!;
      count++;
    }
    expect(total / count).toBeCloseTo(best, 5);
    for (const model of [first, second]) model.dispose();
  });

  it("refuses a decay that is none", async () => {
    const model = tinyModel();
    expect((await run(model, { ema: 1 })).error).toMatchObject({ message: "train: ema must be in [0, 1), got 1" });
    model.dispose();
  });
});
