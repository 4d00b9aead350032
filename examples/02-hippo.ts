/**
 * HiPPO-LegS: 64 numbers that remember a whole signal, updated one sample at a time.
 *
 *   node --conditions=statespace-source examples/02-hippo.ts
 *
 * A band-limited signal of 10,000 samples is compressed online to N = 64 Legendre coefficients of its history, in O(N) a sample.
 * At the end the history is read back from those coefficients alone, and docs/plots/hippo-legs.svg shows both.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { Rng } from "@statespace/core";
import { LegSMemory } from "@statespace/core/hippo";
import { plotSvg } from "./plot.ts";

const n = 64;
const length = 10_000;
const cycles = 12; // the highest harmonic; N coefficients resolve about N / pi of them

const rng = new Rng(1);
const waves = Array.from({ length: cycles }, (_, k) => ({ frequency: k + 1, phase: rng.uniform(0, 2 * Math.PI) }));
const signal = Float64Array.from({ length }, (_, i) =>
  waves.reduce(
    (sum, { frequency, phase }) =>
      sum + Math.sqrt(2 / cycles) * Math.sin((2 * Math.PI * frequency * i) / length + phase),
    0,
  ),
);

/** Streams the signal through a memory and reads the whole history back. */
function remember(method: "bilinear" | "exact"): { history: Float64Array; error: Float64Array; milliseconds: number } {
  const memory = new LegSMemory(n, method);
  const start = performance.now();
  for (const sample of signal) memory.push(sample);
  const milliseconds = performance.now() - start;
  const history = memory.reconstruct();
  return { history, error: history.map((value, i) => Math.abs(value - signal[i])), milliseconds };
}

function rootMeanSquare(values: Float64Array): number {
  return Math.hypot(...values) / Math.sqrt(values.length);
}

const exact = remember("exact");
const bilinear = remember("bilinear");

console.log(
  `HiPPO-LegS, N = ${n}, ${length} samples of a signal of rms ${rootMeanSquare(signal).toFixed(3)} with ${cycles} harmonics`,
);
console.log("method     rms error   largest error   microseconds a sample");
for (const [name, { error, milliseconds }] of Object.entries({ bilinear, exact })) {
  const numbers = [
    rootMeanSquare(error).toExponential(2),
    Math.max(...error).toExponential(2),
    ((1000 * milliseconds) / length).toFixed(2),
  ];
  console.log(`${name.padEnd(10)} ${numbers[0].padEnd(11)} ${numbers[1].padEnd(15)} ${numbers[2]}`);
}

// the bounds that the core's tests hold as well, with their reasons
if (!(rootMeanSquare(exact.error) < 1e-5 && rootMeanSquare(bilinear.error) < 1e-2))
  throw new Error("the history was not reconstructed");

const svg = plotSvg([
  {
    title: `HiPPO-LegS remembers ${length.toLocaleString("en-US")} samples in ${n} coefficients`,
    yLabel: "u(t)",
    series: [
      { label: "signal", y: signal, color: "#9ca3af", width: 5 },
      { label: "reconstruction (bilinear, O(N) a step)", y: bilinear.history, color: "#2563eb", width: 1.6 },
    ],
  },
  {
    title: "Reconstruction error over the whole history",
    xLabel: "sample (oldest to newest)",
    yLabel: "absolute error",
    logY: true,
    yRange: [1e-8, 1],
    series: [
      { label: "bilinear", y: bilinear.error, color: "#2563eb", width: 1 },
      { label: "exact", y: exact.error, color: "#059669", width: 1 },
    ],
  },
]);
const folder = new URL("../docs/plots/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("hippo-legs.svg", folder), svg);
console.log(`plot: docs/plots/hippo-legs.svg (${(svg.length / 1024).toFixed(0)} KiB)`);
