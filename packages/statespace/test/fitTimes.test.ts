import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend, fit, load, Model, models, predict, setBackend, type ModelConfig } from "statespace";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => setBackend(cpuBackend()));

const make = (irregular: boolean): Model => {
  const config: ModelConfig = {
    dModel: 8,
    encoder: { kind: "linear", channels: 1 },
    layers: [{ kind: "s5", dState: 8 }],
    head: { kind: "regression", outputs: 1, pooling: "none" },
    irregular,
  };
  return new Model(config, 1);
};

/** A leaky integral of a signal that is looked at now and then: how far it goes depends on the time that passed, which the values do not show. */
function leaks(rows: number): Record<"inputs" | "targets" | "times", number[][]> {
  let seed = 7;
  const draw = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const data: Record<"inputs" | "targets" | "times", number[][]> = { inputs: [], targets: [], times: [] };
  for (let r = 0; r < rows; r++) {
    const gaps = Array.from({ length: 10 + (r % 3) }, () => 60 * (draw() < 0.5 ? 0.2 : 3));
    const inputs = gaps.map(() => 2 * draw() - 1);
    let [held, time] = [0, 0];
    data.inputs.push(inputs);
    data.times.push(gaps.map((gap) => (time += gap)));
    data.targets.push(gaps.map((gap, t) => (held += (inputs[t]! - held) * (1 - Math.exp(-gap / 60)))));
  }
  return data;
}

describe("fit, at times of its own", () => {
  it("learns what depends on the time between tokens; saved, the unit of time comes along", async () => {
    const { inputs, targets, times } = leaks(40);
    const options = { steps: 120, learningRate: 0.02, seed: 1 };
    const timed = make(true);
    const even = make(false);
    const known = (await fit(timed, { inputs, targets, times }, options)).heldOut!.loss;
    const unknown = (await fit(even, { inputs, targets }, options)).heldOut!.loss;
    expect(known).toBeLessThan(0.5 * unknown);
    expect((await timed.units.timeUnit!.read())[0]).toBeGreaterThan(60); // seconds, between 12 and 180
    const folder = await mkdtemp(join(tmpdir(), "times-"));
    try {
      await models.savePretrained(timed, folder);
      const loaded = await load(folder);
      const [before] = await predict(timed, inputs.slice(0, 1), { times: times.slice(0, 1) });
      const [after] = await loaded.predict(inputs.slice(0, 1), { times: times.slice(0, 1) });
      expect(after!.values).toEqual(before!.values);
      loaded.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
    for (const model of [timed, even]) model.dispose();
  });

  it.each<[string, Partial<{ times: number[][] }>, boolean, RegExp]>([
    ["no times", {}, true, /times are needed/],
    ["times that nobody reads", { times: [[1, 2]] }, false, /for a model whose config says irregular/],
    ["times that go back", { times: [[2, 1]] }, true, /times\[0\] must ascend, got 1 after 2 at 1/],
    ["too few of them", { times: [[2]] }, true, /a time for each of 2 tokens, got 1/],
  ])("refuses %s", async (_, more, irregular, message) => {
    await expect(fit(make(irregular), { inputs: [[1, 2]], targets: [[1, 2]], ...more })).rejects.toThrow(message);
  });
});

describe("fit of tokens", () => {
  it("fills in masked nucleotides from both sides, of either strand", async () => {
    const complement = [0, 4, 3, 2, 1, 5]; // 5 is the mask
    const model = new Model(
      {
        dModel: 16,
        encoder: { kind: "embedding", vocabSize: 6, complement },
        layers: [{ mixers: [{ kind: "mamba" }, { kind: "mamba", reverse: true }] }],
        head: { kind: "language" },
      },
      1,
    );
    // ACG repeated: what is masked follows from either neighbour.
    const rows = Array.from({ length: 30 }, (_, r) => Array.from({ length: 12 }, (_, t) => 1 + ((t + r) % 3)));
    const inputs = rows.map((row, r) => row.map((id, t) => ((t + 2 * r) % 5 === 0 ? 5 : id)));
    const targets = rows.map((row, r) => row.map((id, t) => ((t + 2 * r) % 5 === 0 ? id : Number.NaN)));
    const { heldOut } = await fit(model, { inputs, targets }, { steps: 60, learningRate: 0.02 });
    expect(heldOut!.accuracy).toBe(1);
    model.dispose();
  });
});
