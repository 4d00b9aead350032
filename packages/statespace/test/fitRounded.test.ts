import { wasmBackend } from "@statespace/backend-wasm";
import { bundledCheckpoint, fit, load, setBackend, type FitOptions } from "statespace";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";

beforeAll(() => setBackend(wasmBackend({ threads: 1 })));

const TEXT =
  "It was the sea that called him, and the ship that took him there, and the crew that sang of it at night. ".repeat(
    40,
  );
const OPTIONS: FitOptions = { steps: 24, batchSize: 2, seqLen: 48, heldOut: 0, learningRate: 3e-3, seed: 1 };

/** Losses of a run on the bundled checkpoint, packed. */
async function losses(weights: "q8" | "q4", roundActivations: boolean, more: FitOptions = {}): Promise<number[]> {
  const lm = await load(fileURLToPath(bundledCheckpoint()), { weights });
  const seen: number[] = [];
  await fit(lm, TEXT, {
    ...OPTIONS,
    ...more,
    adapter: { rank: 4, notice: () => {} },
    roundActivations,
    onEvent: (event) => event.kind === "step" && seen.push(event.loss),
  });
  lm.dispose();
  return seen;
}

it.each(["q8", "q4"] as const)(
  "24 steps of an adapter on %s weights, rounded, have the losses of float32 within 1 %, and are not the same numbers",
  async (weights) => {
    const exact = await losses(weights, false);
    const rounded = await losses(weights, true);
    expect(rounded).toHaveLength(OPTIONS.steps!);
    rounded.forEach((loss, i) => expect(Math.abs(loss / exact[i]! - 1), `step ${i + 1}`).toBeLessThan(0.01));
    expect(rounded).not.toEqual(exact);
    expect(rounded.at(-1)!).toBeLessThan(0.9 * rounded[0]!);
    expect(await losses(weights, true)).toEqual(rounded);
  },
);

it("with blocks and parts of the logits computed again, rounded products are rounded again: the same losses", async () => {
  const short = { steps: 4 };
  const whole = await losses("q8", true, short);
  const parts = await losses("q8", true, { ...short, recompute: true, logitsAtOnce: 1 << 16 });
  // Sums over tokens in another order.
  parts.forEach((loss, i) => expect(Math.abs(loss / whole[i]! - 1)).toBeLessThan(1e-5));
});

it("roundActivations is refused where there is nothing to round for", async () => {
  const lm = await load(fileURLToPath(bundledCheckpoint()));
  await expect(fit(lm, TEXT, { ...OPTIONS, roundActivations: true })).rejects.toThrow(
    "fit: roundActivations goes with an adapter on weights that are packed",
  );
  await expect(
    fit(lm, TEXT, { ...OPTIONS, adapter: { rank: 4, notice: () => {} }, roundActivations: true }),
  ).rejects.toThrow('roundActivations is for weights in q8 or q4; load the model with { weights: "q8" }');
  lm.dispose();
});
