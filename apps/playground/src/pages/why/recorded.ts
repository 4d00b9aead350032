import type { CostPoint, Repeats } from "./compute/whyApi.ts";
import type { Kind } from "./compute/names.ts";

/** kind, l, milliseconds of training (0 where it was too slow to try) and of one more token, bytes of the state. Medians: pale lines have no spread. */
type Row = readonly [Kind, number, number, number, number];

/** Written by this page in Chromium on the wasm backend, the quicker of two runs. */
const rows: readonly Row[] = [
  ["attention", 32, 2.81, 0.225, 16512],
  ["gru", 32, 9.55, 0.055, 256],
  ["s4d", 32, 4.67, 0.095, 16384],
  ["mamba", 32, 2.12, 0.055, 9728],
  ["attention", 64, 2.19, 0.15, 33024],
  ["gru", 64, 23.8, 0.05, 256],
  ["s4d", 64, 5.67, 0.065, 16384],
  ["mamba", 64, 2.46, 0.045, 9728],
  ["attention", 128, 4.45, 0.17, 66048],
  ["gru", 128, 45.2, 0.07, 256],
  ["s4d", 128, 5.37, 0.08, 16384],
  ["mamba", 128, 4.71, 0.055, 9728],
  ["attention", 256, 11.2, 0.315, 132096],
  ["gru", 256, 119, 0.055, 256],
  ["s4d", 256, 5.66, 0.065, 16384],
  ["mamba", 256, 9.18, 0.045, 9728],
  ["attention", 512, 36.2, 0.36, 264192],
  ["gru", 512, 184, 0.05, 256],
  ["s4d", 512, 10.3, 0.12, 16384],
  ["mamba", 512, 40.8, 0.055, 9728],
  ["attention", 1024, 161, 0.44, 528384],
  ["gru", 1024, 447, 0.055, 256],
  ["s4d", 1024, 15.2, 0.08, 16384],
  ["mamba", 1024, 91.6, 0.045, 9728],
  ["attention", 2048, 828, 0.645, 1056768],
  ["gru", 2048, 773, 0.06, 256],
  ["s4d", 2048, 40, 0.085, 16384],
  ["mamba", 2048, 260, 0.05, 9728],
  ["attention", 4096, 2160, 0.815, 2113536],
  ["gru", 4096, 1340, 0.065, 256],
  ["s4d", 4096, 179, 0.085, 16384],
  ["mamba", 4096, 627, 0.05, 9728],
];

const alone = (median: number): Repeats => ({ median, low: median, high: median });

/** What the page measured once, before it was published: curves to look at while the visitor's own are on their way. */
export const RECORDED: { readonly on: string; readonly points: readonly CostPoint[] } = {
  on: "2 × Intel Xeon, Chromium, wasm",
  points: rows.map(([kind, l, train, next, stateBytes]) => ({
    kind,
    l,
    next: alone(next),
    stateBytes,
    ...(train > 0 ? { train: alone(train) } : {}),
  })),
};
