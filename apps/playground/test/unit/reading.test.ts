import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { Rng, setBackend } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { inspect } from "../../src/pages/selection/compute/inspect.ts";
import { askedShare, countsOf, writtenOf } from "../../src/pages/selection/compute/reading.ts";
import { MAMBA, type Selects } from "../../src/pages/selection/compute/selects.ts";
import { Trainer } from "../../src/pages/selection/compute/trainer.ts";
import { randomLetters, toIds } from "../../src/pages/selection/sequence.ts";

const task = { letters: 6, nTokens: 4, seqLen: 16, seed: 1, size: "small" } as const;

it("a token's part is what the recurrence gives for it alone", () => {
  const [l, d, n, at] = [9, 3, 4, 7];
  const rng = new Rng(5);
  const numbers = {
    l,
    d,
    n,
    u: rng.normals(l * d),
    delta: rng.uniforms(l * d, 0.01, 0.5),
    A: rng.uniforms(d * n, -3, -0.1),
    B: rng.normals(l * n),
    C: rng.normals(l * n),
  };
  const counts = countsOf(numbers, at);
  const written = writtenOf(numbers);
  for (let s = 0; s < l; s++) {
    // the recurrence with every other token's input set to zero
    const state = new Float64Array(d * n);
    let first = 0;
    for (let t = 0; t <= at; t++) {
      for (let i = 0; i < d * n; i++) {
        const c = Math.floor(i / n);
        const step = numbers.delta[t * d + c]!;
        const input = t === s ? step * numbers.B[t * n + (i % n)]! * numbers.u[t * d + c]! : 0;
        state[i] = Math.exp(step * numbers.A[i]!) * state[i]! + input;
      }
      if (t === s) first = Math.hypot(...state);
    }
    if (s <= at) expect(written[s]).toBeCloseTo(first, 12);
    for (let c = 0; c < d; c++) {
      const y = Array.from({ length: n }, (_, i) => numbers.C[at * n + i]! * state[c * n + i]!).reduce((a, b) => a + b);
      expect(counts[s * d + c]! * numbers.u[s * d + c]!).toBeCloseTo(y, 12);
    }
  }
});

describe("the reading matrix", () => {
  const variants: Readonly<Record<string, Selects>> = {
    Mamba: MAMBA,
    "S4D, without selection and gate": { delta: false, B: false, C: false, gate: false },
    "only B": { delta: false, B: true, C: false, gate: false },
  };

  it.each(Object.entries(variants))(
    "of %s: each row sums to the model's own score of its answer",
    async (_, mixing) => {
      await setBackend(cpuBackend());
      const trainer = new Trainer({ ...task, mixing });
      for (let i = 0; i < 5; i++) trainer.step().dispose();
      for (const seed of [1, 2, 3]) {
        const { answers } = await inspect(trainer, toIds(randomLetters(seed, 4, 16, 6), 16, 6));
        expect(answers).toHaveLength(4);
        for (const { score, parts } of answers) {
          const sum = parts!.reduce((total, part) => total + part);
          // float32 passes through two layers against float64
          expect(Math.abs(sum - score)).toBeLessThan(2e-5 * (1 + Math.abs(score)));
          expect(parts!.filter((part) => part !== 0).length).toBeGreaterThan(16);
        }
      }
      trainer.dispose();
    },
  );

  it("of a Mamba that has learned: most answers are read most of all from the letter they name, none from noise; of S4D as long in training less is", async () => {
    await setBackend(wasmBackend({ threads: 1 }));
    const trainer = new Trainer({ ...task, size: "usual", mixing: MAMBA });
    for (let i = 0; i < 1500 && (i % 50 !== 0 || (await trainer.accuracy()) < 0.97); i++) trainer.step().dispose();
    expect(await trainer.accuracy()).toBeGreaterThan(0.95);
    const challenger = new Trainer({ ...task, size: "usual", mixing: variants["S4D, without selection and gate"]! });
    while (challenger.steps < trainer.steps) challenger.step().dispose();
    let [named, noise, rows] = [0, 0, 0];
    const share = { mamba: 0, s4d: 0 };
    for (let seed = 1; seed <= 60; seed++) {
      const letters = randomLetters(seed, 4, 16, 6);
      const { answers } = await inspect(trainer, toIds(letters, 16, 6));
      const others = await inspect(challenger, toIds(letters, 16, 6));
      share.mamba += askedShare(answers, letters, 16) / 60;
      share.s4d += askedShare(others.answers, letters, 16) / 60;
      for (const { token, parts } of answers) {
        const places = parts!.subarray(0, 16);
        const place = places.indexOf(Math.max(...places));
        const letter = letters.find((each) => each.place === place);
        rows++;
        if (letter === undefined) noise++;
        if (letter?.token === token) named++;
      }
    }
    if (process.env["SHOW"]) console.log({ named, noise, rows, share, steps: trainer.steps });
    // 216 of 240 when this was written; a place drawn at random would be that letter in one of 16, or one of 4 among the letters
    expect(named / rows).toBeGreaterThan(0.8);
    expect(noise / rows).toBeLessThan(0.05);
    // what the page tells of one sequence, in the mean over many
    expect(share.mamba).toBeGreaterThan(1.5 * share.s4d);
    trainer.dispose();
    challenger.dispose();
  }, 240_000);
});
