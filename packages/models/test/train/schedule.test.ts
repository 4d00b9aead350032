import { ArgumentError } from "@statespace/core";
import { expect, it } from "vitest";
import { constantSchedule, cosineSchedule, wsdSchedule } from "@statespace/models";

// Each factor is a few float64 operations on values near 1.
const ROUNDING = 1e-12;

it.each([
  ["warm-up, first of ten steps of a hundred", cosineSchedule({ warmUp: 0.1 }), 0.01, 0.1],
  ["end of warm-up", cosineSchedule({ warmUp: 0.1 }), 0.1, 1],
  ["middle of the cosine", cosineSchedule({ warmUp: 0.2, final: 0.1 }), 0.6, 0.55],
  ["a third of the cosine", cosineSchedule(), 1 / 3, 0.75],
  ["end of the cosine", cosineSchedule({ warmUp: 0.2, final: 0.1 }), 1, 0.1],
  ["past the end", cosineSchedule({ final: 0.1 }), 1.5, 0.1],
  ["wsd, stable", wsdSchedule({ warmUp: 0.1, decay: 0.2 }), 0.79, 1],
  ["wsd, half of the decay", wsdSchedule({ warmUp: 0.1, decay: 0.2, final: 0.5 }), 0.9, 0.75],
  ["wsd, end", wsdSchedule({ warmUp: 0.1, decay: 0.2 }), 1, 0],
  ["wsd that only decays", wsdSchedule({ decay: 1 }), 0.25, 0.75],
  ["wsd without decay", wsdSchedule({ decay: 0 }), 1, 1],
  ["constant", constantSchedule({ warmUp: 0.5 }), 0.25, 0.5],
  ["constant after warm-up", constantSchedule({ warmUp: 0.5 }), 0.75, 1],
  ["warm-up all the way", constantSchedule({ warmUp: 1 }), 1, 1],
])("%s", (_name, schedule, progress, factor) => {
  expect(Math.abs(schedule(progress) - factor)).toBeLessThan(ROUNDING);
});

it("refuses shares out of range, by name", () => {
  expect(() => cosineSchedule({ warmUp: 1.1 })).toThrow(/cosineSchedule: warmUp must be in \[0, 1\], got 1.1/);
  expect(() => cosineSchedule({ final: -1 })).toThrow(ArgumentError);
  expect(() => wsdSchedule({ decay: Number.NaN })).toThrow(/decay/);
  expect(() => wsdSchedule({ warmUp: 0.6, decay: 0.6 })).toThrow(/warmUp \+ decay/);
});
