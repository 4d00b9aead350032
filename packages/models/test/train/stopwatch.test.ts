import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { modelObjective, train, type TrainingEvent } from "@statespace/models";
import { afterEach, expect, it, vi } from "vitest";
import { Stopwatch } from "../../src/train/stopwatch.ts";
import { countingStream, heldOut, tinyModel } from "./tinyRun.ts";

afterEach(() => vi.restoreAllMocks());

it("counts work, however slow, and sleep as the longest stretch of work before it", () => {
  let now = 5000;
  const watch = new Stopwatch(7, () => now);
  const after = (seconds: number): number => {
    now += 1000 * seconds;
    return watch.seconds;
  };
  expect(after(100)).toBe(107); // the first step, which compiles
  expect(after(3)).toBe(110);
  expect(after(900)).toBe(1010); // slow, yet not ten times as slow as any
  expect(after(8 * 3600)).toBe(1910); // the night
  expect(after(2)).toBe(1912);
  expect(after(30)).toBe(1942);
});

it("a run of some minutes that is put to sleep for a night trains the rest of its minutes", async () => {
  await setBackend(cpuBackend());
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 100)); // each look takes a tenth of a second
  const model = tinyModel();
  const events: TrainingEvent[] = [];
  for await (const event of train(modelObjective(model), countingStream(1), {
    maxMinutes: 1,
    evaluation: { batches: heldOut, every: 5 },
  })) {
    events.push(event);
    if (event.kind === "step" && (event.step === 3 || event.step === 12)) now += 8 * 3600 * 1000;
  }
  const end = events.at(-1)!;
  expect(end).toMatchObject({ kind: "end", reason: "time" });
  if (end.kind === "end") {
    expect(end.seconds).toBeGreaterThanOrEqual(60);
    expect(end.seconds).toBeLessThan(70);
  }
  expect(events.filter(({ kind }) => kind === "step").length).toBeGreaterThan(20);
  model.dispose();
});
