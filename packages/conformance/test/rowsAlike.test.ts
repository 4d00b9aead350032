import { wasmBackend } from "@statespace/backend-wasm";
import { registerBackend, Rng, setBackend, tensor, tidy } from "@statespace/core";
import { startBackend } from "@statespace/core/backend";
import type { Model } from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";
import { exactnessFamilies } from "../src/exactness/families.ts";

const ROWS = 16;
const STEPS = 3;

/** Scores of the first so many of the texts, step by step. */
async function scoresOf(model: Model, ids: Int32Array, rows: number): Promise<Float32Array[]> {
  const { backend } = model;
  const state = model.initialState(rows);
  model.reserve(state, rows, STEPS);
  const all: Float32Array[] = [];
  for (let step = 0; step < STEPS; step++) {
    const own = tensor(ids.slice(step * ROWS, step * ROWS + rows), [rows], { backend });
    const scores = tidy(() => model.step(own, state));
    all.push(scores.dataSync() as Float32Array);
    for (const t of [scores, own]) t.dispose();
  }
  state.dispose();
  return all;
}

describe.each(["wasm", "wasm-two"])("steps of fewer rows on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(wasmBackend({ threads: 1 }));
    registerBackend({ ...wasmBackend({ threads: 2, parallelWork: 64 }), name: "wasm-two" });
    await setBackend(backend);
  });

  it.each(exactnessFamilies())("$name: a row has the same bits however many are beside it", async ({ make }) => {
    expect((await startBackend(backend)).rowsAlike).toBeGreaterThanOrEqual(ROWS);
    const model = await make(backend);
    const rng = new Rng(5);
    const ids = Int32Array.from({ length: ROWS * STEPS }, () => rng.integer(model.vocabSize));
    const whole = await scoresOf(model, ids, ROWS);
    for (const rows of [1, 2, 3, 4, 6, 8, 12])
      for (const [step, scores] of (await scoresOf(model, ids, rows)).entries())
        expect(scores, `${rows} rows, step ${step}`).toEqual(whole[step]!.slice(0, scores.length));
    model.dispose();
  });
});
