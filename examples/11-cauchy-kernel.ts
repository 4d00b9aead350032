/**
 * What S4's filter costs: through Cauchy sums, fast or term by term, and by stepping the dense state matrix.
 *
 *   node --conditions=statespace-source examples/11-cauchy-kernel.ts            checks the claims
 *   node --conditions=statespace-source examples/11-cauchy-kernel.ts --full     larger sizes; writes docs/plots/cauchy-kernel.svg
 *
 * One channel with n states and l taps, in float64 on one CPU thread. The dense way works n^2 l. The Cauchy kernel holds n + l numbers: its
 * four sums (of C, B and P with one another) work n l term by term, and n + l by the fast multipole method, which the CPU backend's
 * `cauchy` takes where it is faster. What both need besides, an inverse FFT and some operations a tap, is not timed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Rng } from "@statespace/core";
import { bilinear } from "@statespace/core/discretization";
import { makeHippoLegS } from "@statespace/core/hippo";
import { CauchyMultipole, cauchyTree } from "@statespace/core/math";
import { plotSvg, type Panel } from "./plot.ts";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    out: { type: "string", default: new URL("../docs/plots/cauchy-kernel.svg", import.meta.url).pathname },
  },
});
const SUMS = 4;

/** Milliseconds, the shortest of a few runs (what else the machine does only adds to it), and complex multiplications. */
interface Cost {
  readonly ms: number;
  readonly operations: number;
}

type Method = (n: number, l: number) => Cost;

/** A run is repeated for as long as this, in ms, and twice at least. */
const PATIENCE = values.full ? 300 : 30;

function time(operations: number, run: () => unknown): Cost {
  let ms = Infinity;
  for (let i = 0, spent = 0; i < 2 || spent < PATIENCE; i++) {
    const begun = performance.now();
    run();
    const taken = performance.now() - begun;
    spent += taken;
    ms = Math.min(ms, taken);
  }
  return { ms, operations };
}

/** A step times S4D-Inv's eigenvalues, which near HiPPO-LegS's: -1/2 + i n / pi (n / (2k + 1) - 1), and their conjugates. */
function poles(n: number): Float64Array {
  const imaginary = (k: number): number => (n / Math.PI) * (n / (2 * (k % (n / 2)) + 1) - 1) * (k < n / 2 ? 1 : -1);
  return Float64Array.from({ length: 2 * n }, (_, i) => 0.01 * (i % 2 === 0 ? -0.5 : imaginary(i >> 1)));
}

/** 2 (1 - omega) / (1 + omega) = 2 i tan(pi k / l) at half of the l-th roots of unity; a real filter's spectrum mirrors the rest. */
function nodes(l: number): Float64Array {
  return Float64Array.from({ length: l }, (_, i) => (i % 2 === 0 ? 0 : 2 * Math.tan((Math.PI * (i >> 1)) / l)));
}

const weights = (n: number): Float64Array => new Rng(n).normals(2 * n);

function fastSums(n: number, l: number, out = new Float64Array(l)): Cost {
  const [w, z, v] = [poles(n), nodes(l), weights(n)];
  const { work } = new CauchyMultipole(cauchyTree(w), cauchyTree(z));
  return time(SUMS * work, () => {
    const plan = new CauchyMultipole(cauchyTree(w), cauchyTree(z));
    for (let i = 0; i < SUMS; i++) plan.sum(v, { values: out });
  });
}

function directSums(n: number, l: number, out = new Float64Array(l)): Cost {
  const [w, z, v] = [poles(n), nodes(l), weights(n)];
  return time((SUMS * n * l) / 2, () => {
    for (let i = 0; i < SUMS; i++) for (let t = 0; t < l; t += 2) directSum(v, w, z, t, out);
  });
}

/** sum_j v_j / (z_t - w_j), term by term. */
function directSum(v: Float64Array, w: Float64Array, z: Float64Array, t: number, out: Float64Array): void {
  let re = 0;
  let im = 0;
  for (let j = 0; j < w.length; j += 2) {
    const dRe = z[t]! - w[j]!;
    const dIm = z[t + 1]! - w[j + 1]!;
    const scale = 1 / (dRe * dRe + dIm * dIm);
    re += (v[j]! * dRe + v[j + 1]! * dIm) * scale;
    im += (v[j + 1]! * dRe - v[j]! * dIm) * scale;
  }
  out[t] = re;
  out[t + 1] = im;
}

/** K_t = C ABar^t BBar by stepping; real multiplications. */
function dense(n: number, l: number): Cost {
  const { A, B } = makeHippoLegS(n);
  const { ABar, BBar } = bilinear.dense(A, B, 0.01);
  const C = new Rng(n).normals(n);
  return time(n * n * l, () => {
    let x: Float64Array = BBar.data;
    const K = new Float64Array(l);
    for (let t = 0; t < l; t++) {
      for (let i = 0; i < n; i++) K[t]! += C[i]! * x[i]!;
      x = ABar.apply(x);
    }
    return K;
  });
}

/** The exponent of a power law, by least squares on logarithms. */
function slope(xs: readonly number[], ys: readonly number[]): number {
  const [u, v] = [xs.map(Math.log), ys.map(Math.log)];
  const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;
  const [mu, mv] = [mean(u), mean(v)];
  return u.reduce((sum, x, i) => sum + (x - mu) * (v[i]! - mv), 0) / u.reduce((sum, x) => sum + (x - mu) ** 2, 0);
}

/** The three methods along one line of sizes; each goes as far as it is affordable. */
interface Line {
  readonly title: string;
  readonly axis: "n" | "l";
  readonly at: (size: number) => readonly [n: number, l: number];
  readonly fast: readonly number[];
  readonly direct: readonly number[];
  readonly dense: readonly number[];
}

interface Curve {
  readonly label: string;
  readonly sizes: readonly number[];
  readonly costs: readonly Cost[];
}

const METHODS: readonly (readonly [key: "fast" | "direct" | "dense", label: string, Method])[] = [
  ["fast", "multipole", fastSums],
  ["direct", "term by term", directSums],
  ["dense", "dense", dense],
];

const from = (low: number, high: number): number[] =>
  Array.from({ length: Math.log2(high / low) + 1 }, (_, i) => low * 2 ** i);
const [fixed, most, mostDense] = values.full ? [1024, 16384, 512] : [512, 2048, 128];
const start = values.full ? 64 : 32;
const lines: readonly Line[] = [
  {
    title: `l = ${fixed} taps`,
    axis: "n",
    at: (n) => [n, fixed],
    fast: from(start, most),
    direct: from(start, most),
    dense: from(start, mostDense),
  },
  {
    title: `n = ${mostDense} states`,
    axis: "l",
    at: (l) => [mostDense, l],
    fast: from(start, most),
    direct: from(start, most),
    dense: from(start, values.full ? 2048 : 512),
  },
  {
    title: "n = l",
    axis: "n",
    at: (size) => [size, size],
    fast: from(start, most),
    direct: from(start, most),
    dense: from(start, mostDense),
  },
];

/** The law of the larger sizes: what is small is ruled by what does not grow. */
const largest = (values: readonly number[]): readonly number[] => values.slice(-4);
const exponent = ({ sizes, costs }: Curve, of: keyof Cost): number =>
  slope(largest(sizes), largest(costs.map((cost) => cost[of])));

function measure(line: Line): Curve[] {
  const curves = METHODS.map(([key, label, method]): Curve => ({
    label,
    sizes: line[key],
    costs: line[key].map((size) => method(...line.at(size))),
  }));
  console.log(`\n${line.title}; of one channel: ms, and multiplications counted`);
  console.log(`${line.axis.padStart(6)}${curves.map(({ label }) => label.padStart(36)).join("")}`);
  line.fast.forEach((size, i) => {
    const cell = (cost: Cost | undefined): string =>
      (cost ? `${cost.ms.toFixed(2).padStart(18)} ms ${cost.operations.toExponential(2).padStart(14)}` : "").padStart(
        36,
      );
    console.log(`${String(size).padStart(6)}${curves.map(({ costs }) => cell(costs[i])).join("")}`);
  });
  for (const curve of curves)
    console.log(
      `${curve.label}: time as ${line.axis}^${exponent(curve, "ms").toFixed(2)}, multiplications as ${line.axis}^${exponent(curve, "operations").toFixed(2)}`,
    );
  return curves;
}

function checkAgreement(n: number, l: number): void {
  const [fast, direct, w, z, v] = [new Float64Array(l), new Float64Array(l), poles(n), nodes(l), weights(n)];
  fastSums(n, l, fast);
  directSums(n, l, direct);
  for (let t = 0; t < l; t += 2) {
    let size = 0;
    for (let j = 0; j < 2 * n; j += 2)
      size += Math.hypot(v[j]!, v[j + 1]!) / Math.hypot(z[t]! - w[j]!, z[t + 1]! - w[j + 1]!);
    const off = Math.hypot(fast[t]! - direct[t]!, fast[t + 1]! - direct[t + 1]!) / size;
    if (!(off < 2 ** -24))
      throw new Error(
        `the two ways to the Cauchy sums should agree within 2^-24 of their absolute terms, got ${off} at node ${t / 2}`,
      );
  }
}

checkAgreement(512, 2048);
const measured = lines.map(measure);
const [fast, direct, stepped] = measured[2]!.map((curve) => ({
  time: exponent(curve, "ms"),
  operations: exponent(curve, "operations"),
}));
// Counts are facts; a time has what else the machine did in it, so that only the order of the three is held to.
if (fast!.operations > 1.1)
  throw new Error(`along n = l the multipole method's multiplications should grow as n, got n^${fast!.operations}`);
if (fast!.time > direct!.time - 0.4 || fast!.time > stepped!.time - 1)
  throw new Error(
    `along n = l times should grow as n, n^2 and n^3, got exponents ${fast!.time}, ${direct!.time}, ${stepped!.time}`,
  );

if (values.full) {
  const panel = (line: Line, curves: readonly Curve[], of: keyof Cost, what: string): Panel => ({
    title: `${what}, ${line.title}: ${curves.map((curve) => `${line.axis}^${exponent(curve, of).toFixed(2)} ${curve.label}`).join(", ")}`,
    xLabel: `log2 ${line.axis}`,
    yLabel: of === "ms" ? "ms" : "multiplications",
    logY: true,
    series: curves.map(({ label, sizes, costs }) => ({
      label,
      x: sizes.map(Math.log2),
      y: costs.map((cost) => cost[of]),
    })),
  });
  const panels = lines.map((line, i) => panel(line, measured[i]!, "ms", "Time"));
  mkdirSync(new URL(".", `file://${values.out}`), { recursive: true });
  writeFileSync(values.out, plotSvg([...panels, panel(lines[2]!, measured[2]!, "operations", "Multiplications")]));
  console.log(`wrote ${values.out}`);
}
