import type { CostPoint, Repeats } from "./compute/whyApi.ts";
import type { Kind } from "./compute/names.ts";

/** kind, l, training (median, low, high; absent where it was too slow to try), next token likewise, bytes of the state. */
type Row = readonly [Kind, number, readonly number[], readonly number[], number];

/** Written by this page's own worker in Chromium on the wasm backend, the quicker of two runs. */
const rows: readonly Row[] = [
  ["attention", 32, [2.81, 2.27, 3.185], [0.225, 0.17, 0.555], 16512],
  ["gru", 32, [9.555, 9.44, 12.36], [0.055, 0.05, 0.07], 256],
  ["s4d", 32, [4.675, 4.39, 6.135], [0.095, 0.07, 0.12], 16384],
  ["mamba", 32, [2.125, 1.91, 2.31], [0.055, 0.045, 0.08], 9728],
  ["attention", 64, [2.19, 1.97, 2.71], [0.15, 0.135, 0.205], 33024],
  ["gru", 64, [23.79, 19.42, 30.86], [0.05, 0.04, 0.08], 256],
  ["s4d", 64, [5.67, 4.975, 8.4], [0.065, 0.055, 0.075], 16384],
  ["mamba", 64, [2.46, 1.91, 3.99], [0.045, 0.035, 0.05], 9728],
  ["attention", 128, [4.45, 4.165, 5.055], [0.17, 0.14, 0.21], 66048],
  ["gru", 128, [45.16, 39.09, 45.16], [0.07, 0.055, 0.095], 256],
  ["s4d", 128, [5.37, 4.55, 8.005], [0.08, 0.07, 0.1], 16384],
  ["mamba", 128, [4.705, 3.95, 5.795], [0.055, 0.045, 0.065], 9728],
  ["attention", 256, [11.21, 11.05, 11.44], [0.315, 0.245, 0.63], 132096],
  ["gru", 256, [118.9, 118.9, 232.2], [0.055, 0.045, 0.07], 256],
  ["s4d", 256, [5.655, 5.535, 11.81], [0.065, 0.055, 0.08], 16384],
  ["mamba", 256, [9.18, 8.785, 10.43], [0.045, 0.04, 0.065], 9728],
  ["attention", 512, [36.24, 34.99, 36.24], [0.36, 0.315, 0.705], 264192],
  ["gru", 512, [183.8, 183.8, 531.8], [0.05, 0.045, 0.075], 256],
  ["s4d", 512, [10.34, 9.59, 12.25], [0.12, 0.09, 0.27], 16384],
  ["mamba", 512, [40.84, 40.84, 83.39], [0.055, 0.045, 0.075], 9728],
  ["attention", 1024, [161.3, 161.3, 302.2], [0.44, 0.39, 0.645], 528384],
  ["gru", 1024, [447.1, 447.1, 544.4], [0.055, 0.045, 0.07], 256],
  ["s4d", 1024, [15.16, 14.79, 16.71], [0.08, 0.065, 0.105], 16384],
  ["mamba", 1024, [91.61, 91.61, 92.76], [0.045, 0.04, 0.055], 9728],
  ["attention", 2048, [827.5, 827.5, 864.6], [0.645, 0.55, 0.945], 1056768],
  ["gru", 2048, [773.2, 773.2, 1187.0], [0.06, 0.05, 0.07], 256],
  ["s4d", 2048, [40.03, 40.03, 52.97], [0.085, 0.07, 0.135], 16384],
  ["mamba", 2048, [259.9, 259.9, 286.9], [0.05, 0.04, 0.055], 9728],
  ["attention", 4096, [2161.4850000003353, 2161.4850000003353, 2207.8250000001863], [0.815, 0.765, 1.1], 2113536],
  ["gru", 4096, [1336.0, 1336.0, 1539.0], [0.065, 0.055, 0.07], 256],
  ["s4d", 4096, [179.0, 179.0, 241.7], [0.085, 0.07, 0.16], 16384],
  ["mamba", 4096, [626.7, 626.7, 763.3], [0.05, 0.04, 0.07], 9728],
];

const repeats = ([median, low, high]: readonly number[]): Repeats => ({ median: median!, low: low!, high: high! });

/** What the page measured once, before it was published: curves to look at while the visitor's own are on their way. */
export const RECORDED: { readonly on: string; readonly points: readonly CostPoint[] } = {
  on: "2 × Intel Xeon, Chromium, wasm",
  points: rows.map(([kind, l, train, next, stateBytes]) => ({
    kind,
    l,
    next: repeats(next),
    stateBytes,
    ...(train.length > 0 ? { train: repeats(train) } : {}),
  })),
};
