import type { CostPoint, Repeats } from "./compute/whyApi.ts";
import type { BackendName } from "../../workers/backendNames.ts";
import type { Kind } from "./compute/names.ts";

/** kind, l, milliseconds of training and of one more token, bytes of the state. Medians: pale lines have no spread. */
type Row = readonly [Kind, number, number, number, number];

/** Written by this page in Chromium on the cpu backend, the quickest of three runs. */
const onCpu: readonly Row[] = [
  ["attention", 32, 4.33, 0.13, 16384],
  ["gru", 32, 23.2, 0.065, 256],
  ["s4d", 32, 20.1, 0.24, 16384],
  ["mamba", 32, 5.72, 0.135, 9728],
  ["attention", 64, 4.48, 0.085, 32768],
  ["gru", 64, 49, 0.055, 256],
  ["s4d", 64, 24.6, 0.225, 16384],
  ["mamba", 64, 8.73, 0.125, 9728],
  ["attention", 128, 9.62, 0.115, 65536],
  ["gru", 128, 87.9, 0.05, 256],
  ["s4d", 128, 37.5, 0.24, 16384],
  ["mamba", 128, 16.5, 0.125, 9728],
  ["attention", 256, 30.1, 0.2, 131072],
  ["gru", 256, 181, 0.06, 256],
  ["s4d", 256, 75.1, 0.235, 16384],
  ["mamba", 256, 33.6, 0.135, 9728],
  ["attention", 512, 100, 0.365, 262144],
  ["gru", 512, 309, 0.06, 256],
  ["s4d", 512, 128, 0.25, 16384],
  ["mamba", 512, 65.9, 0.135, 9728],
  ["attention", 1024, 397, 0.685, 524288],
  ["gru", 1024, 686, 0.07, 256],
  ["s4d", 1024, 297, 0.335, 16384],
  ["mamba", 1024, 177, 0.19, 9728],
  ["attention", 2048, 3130, 2.08, 1048576],
  ["gru", 2048, 1460, 0.075, 256],
  ["s4d", 2048, 612, 0.285, 16384],
  ["mamba", 2048, 351, 0.185, 9728],
  ["attention", 4096, 18300, 8.19, 2097152],
  ["gru", 4096, 3360, 0.07, 256],
  ["s4d", 4096, 997, 0.28, 16384],
  ["mamba", 4096, 876, 0.175, 9728],
];

/** The same on the wasm backend. */
const onWasm: readonly Row[] = [
  ["attention", 32, 1.25, 0.095, 16384],
  ["gru", 32, 13.8, 0.035, 256],
  ["s4d", 32, 2.08, 0.05, 16384],
  ["mamba", 32, 1.92, 0.04, 9728],
  ["attention", 64, 1.51, 0.03, 32768],
  ["gru", 64, 22, 0.025, 256],
  ["s4d", 64, 2.16, 0.035, 16384],
  ["mamba", 64, 2, 0.03, 9728],
  ["attention", 128, 1.26, 0.03, 65536],
  ["gru", 128, 31.7, 0.025, 256],
  ["s4d", 128, 3.05, 0.04, 16384],
  ["mamba", 128, 2.55, 0.03, 9728],
  ["attention", 256, 2.34, 0.06, 131072],
  ["gru", 256, 94.1, 0.03, 256],
  ["s4d", 256, 4.94, 0.035, 16384],
  ["mamba", 256, 4.61, 0.03, 9728],
  ["attention", 512, 6.81, 0.125, 262144],
  ["gru", 512, 125, 0.03, 256],
  ["s4d", 512, 7.46, 0.035, 16384],
  ["mamba", 512, 7.72, 0.03, 9728],
  ["attention", 1024, 19.8, 0.165, 524288],
  ["gru", 1024, 313, 0.025, 256],
  ["s4d", 1024, 12.9, 0.045, 16384],
  ["mamba", 1024, 14.9, 0.03, 9728],
  ["attention", 2048, 116, 0.28, 1048576],
  ["gru", 2048, 651, 0.03, 256],
  ["s4d", 2048, 25.1, 0.04, 16384],
  ["mamba", 2048, 27.4, 0.035, 9728],
  ["attention", 4096, 413, 0.465, 2097152],
  ["gru", 4096, 1260, 0.025, 256],
  ["s4d", 4096, 71.7, 0.035, 16384],
  ["mamba", 4096, 61.9, 0.03, 9728],
];

const alone = (median: number): Repeats => ({ median, low: median, high: median });

export interface Recording {
  readonly on: string;
  readonly points: readonly CostPoint[];
}

const recording = (backend: BackendName, rows: readonly Row[]): Recording => ({
  on: `2 × Intel Xeon, Chromium, ${backend}`,
  points: rows.map(([kind, l, train, next, stateBytes]) => ({
    kind,
    l,
    next: alone(next),
    stateBytes,
    train: alone(train),
  })),
});

/** What the page measured once, before it was published: curves to look at while the visitor's own are on their way. */
export const RECORDED: Readonly<Record<"cpu" | "wasm", Recording>> = {
  cpu: recording("cpu", onCpu),
  wasm: recording("wasm", onWasm),
};

/** The recording to draw beside what is measured on a backend. */
export function recordedBeside(backend: BackendName): Recording {
  return backend === "cpu" ? RECORDED.cpu : RECORDED.wasm;
}
