/**
 * 256 numbers against 100,000 samples: what HiPPO-LegS still knows of a long signal, beside a sliding window (LegT) and a plain buffer.
 *
 *   node --conditions=statespace-source examples/06-hippo-memory.ts [--full]     (which keeps the numbers for docs/results.md)
 *
 * Every memory holds N = 256 numbers. LegT is told the length of the signal beforehand, which LegS need not be; a second LegT looks at
 * the last tenth only. The buffer keeps the last 256 samples as they are. Error: root mean square of what is wrong, relative to the signal's.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Rng } from "@statespace/core";
import { LegSMemory, WindowMemory } from "@statespace/core/hippo";
import { bandLimitedNoise } from "@statespace/datasets";
import { plotSvg } from "./plot.ts";

const n = 256;
const length = 100_000;
const cycles = 40; // N Legendre coefficients resolve about N / pi = 81 cycles
const signal = bandLimitedNoise({ length, cutoff: cycles / length, random: new Rng(1) });

function relativeError(recalled: ArrayLike<number>, from = 0): number {
  let [wrong, all] = [0, 0];
  for (let i = from; i < length; i++) {
    wrong += (signal[i] - (recalled[i] ?? 0)) ** 2;
    all += signal[i] ** 2;
  }
  return Math.sqrt(wrong / all);
}

/** The recalled end of the signal, with zeros where the memory knows nothing. */
function placed(recent: Float64Array): Float64Array {
  const whole = new Float64Array(length);
  whole.set(recent, length - recent.length);
  return whole;
}

interface Result {
  readonly name: string;
  readonly history: Float64Array;
  readonly microseconds: number;
}

function run(name: string, memory: { pushAll(samples: ArrayLike<number>): void }, recall: () => Float64Array): Result {
  const start = performance.now();
  memory.pushAll(signal);
  const microseconds = (1000 * (performance.now() - start)) / length;
  return { name, history: placed(recall()), microseconds };
}

const legs = new LegSMemory(n);
const legt = new WindowMemory("legt", n, length);
const tenth = new WindowMemory("legt", n, length / 10);
const buffer = { pushAll: (): void => {} };
const results = [
  run("LegS (bilinear)", legs, () => legs.reconstruct()),
  run("LegT, window = 100,000", legt, () => legt.reconstruct()),
  run("LegT, window = 10,000", tenth, () => tenth.reconstruct()),
  run("buffer of the last 256", buffer, () => signal.slice(length - n)),
];

console.log(`N = ${n} numbers, ${length.toLocaleString("en")} samples, band-limited noise of ${cycles} cycles\n`);
console.log("memory                   error, whole history   error, last tenth   microseconds a sample");
for (const { name, history, microseconds } of results) {
  const errors = [relativeError(history), relativeError(history, 0.9 * length)].map((error) => error.toExponential(2));
  console.log(`${name.padEnd(24)} ${errors[0].padEnd(22)} ${errors[1].padEnd(19)} ${microseconds.toFixed(2)}`);
}

const errorOf = (at: number): number => relativeError(results[at].history);
if (!(errorOf(0) < 0.02)) throw new Error("LegS lost the signal");
if (!(errorOf(2) > 0.9 && errorOf(3) > 0.9)) throw new Error("a short window cannot know the whole history");

const every = 20; // points of the plot
const thin = (values: Float64Array): Float64Array =>
  Float64Array.from({ length: length / every }, (_, i) => values[i * every]);
const x = Float64Array.from({ length: length / every }, (_, i) => i * every);
const svg = plotSvg([
  {
    title: `${length.toLocaleString("en")} samples recalled from ${n} numbers`,
    yLabel: "u(t)",
    series: [
      { label: "signal", x, y: thin(signal), color: "#9ca3af", width: 4 },
      { label: "LegS", x, y: thin(results[0].history), color: "#2563eb", width: 1.4 },
    ],
  },
  {
    title: "Absolute error",
    xLabel: "sample (oldest to newest)",
    yLabel: "error",
    logY: true,
    yRange: [1e-6, 10],
    series: results.map(({ name, history }) => ({
      label: name,
      x,
      y: thin(history.map((value, i) => Math.abs(value - signal[i]))),
      width: 1,
    })),
  },
]);
const folder = new URL("../docs/", import.meta.url);
for (const name of ["results", "plots"]) mkdirSync(new URL(name, folder), { recursive: true });
writeFileSync(new URL("plots/hippo-memory.svg", folder), svg);
if (process.argv.includes("--full")) {
  const figures = results.map(({ name, history, microseconds }) => [
    name,
    { whole: relativeError(history), recent: relativeError(history, 0.9 * length), microseconds },
  ]);
  const command = "node --conditions=statespace-source examples/06-hippo-memory.ts --full";
  const machine = { node: process.version, cores: availableParallelism(), backend: "core" };
  const saved = { command, machine, setting: { n, length, cycles }, results: Object.fromEntries(figures) as object };
  writeFileSync(new URL("results/06-hippo-memory.json", folder), `${JSON.stringify(saved, null, 1)}\n`);
}
