/**
 * What S4's filter costs: through Cauchy sums and an FFT, and by stepping the dense state matrix.
 *
 *   node --conditions=statespace-source examples/11-cauchy-kernel.ts            checks the claims
 *   node --conditions=statespace-source examples/11-cauchy-kernel.ts --full     larger sizes; writes docs/plots/cauchy-kernel.svg
 *
 * Of one channel with n states and l taps. The dense way works n^2 l and holds n^2 + l numbers. The Cauchy sums work n l and hold n + l; so with
 * n the dense one gets slower by its square, and beyond a few dozen states nothing else is affordable.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { bilinear, makeHippoLegS, Rng, setBackend, tidy } from "@statespace/core";
import { ParameterBuilder, s4Config, S4Mixer } from "@statespace/models";
import { plotSvg } from "./plot.ts";

const { values } = parseArgs({ options: { full: { type: "boolean", default: false }, out: { type: "string", default: new URL("../docs/plots/cauchy-kernel.svg", import.meta.url).pathname } } });
const states = values.full ? [16, 32, 64, 128, 256] : [32, 64, 128];
const lengths = values.full ? [256, 512, 1024, 2048, 4096, 8192, 16384] : [512, 1024, 2048];
const rounds = values.full ? 15 : 7;

/** Shortest of a few runs: what else the machine does only adds to it. */
function shortest(run: () => unknown): number {
  run();
  let best = Infinity;
  for (let i = 0; i < rounds; i++) {
    const from = performance.now();
    run();
    best = Math.min(best, performance.now() - from);
  }
  return best;
}

function timeCauchy(n: number, l: number): number {
  const mixer = new S4Mixer(s4Config(1, { dState: n, kernelLength: l }), new ParameterBuilder(new Rng(1)));
  const time = shortest(() => tidy(() => mixer.kernel.filter(l).dataSync()));
  mixer.dispose();
  for (const parameter of mixer.parameters) parameter.dispose();
  return time;
}

function timeDense(n: number, l: number): number {
  const { A, B } = makeHippoLegS(n);
  const { ABar, BBar } = bilinear.dense(A, B, 0.01);
  const C = new Rng(1).normals(n);
  return shortest(() => {
    let x: Float64Array = BBar.data;
    const K = new Float64Array(l);
    for (let t = 0; t < l; t++) {
      K[t] = C.reduce((sum, c, i) => sum + c * x[i]!, 0);
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

await setBackend(cpuBackend());
const [L, N] = [1024, 64];
const byStates = { cauchy: states.map((n) => timeCauchy(n, L)), dense: states.map((n) => timeDense(n, L)) };
const byLength = { cauchy: lengths.map((l) => timeCauchy(N, l)), dense: lengths.map((l) => timeDense(N, l)) };

const ms = (time: number): string => time.toFixed(2).padStart(9);
console.log(`n states, l = ${L}:   n   Cauchy ms    dense ms   numbers held`);
states.forEach((n, i) => console.log(`${String(n).padStart(23)} ${ms(byStates.cauchy[i]!)}   ${ms(byStates.dense[i]!)}   ${n + L} against ${n * n + L}`));
console.log(`l taps, n = ${N}:     l   Cauchy ms    dense ms   numbers held`);
lengths.forEach((l, i) => console.log(`${String(l).padStart(23)} ${ms(byLength.cauchy[i]!)}   ${ms(byLength.dense[i]!)}   ${N + l} against ${N * N + l}`));

const inStates = { cauchy: slope(states, byStates.cauchy), dense: slope(states, byStates.dense) };
const inLength = { cauchy: slope(lengths, byLength.cauchy), dense: slope(lengths, byLength.dense) };
console.log(`time grows as n^${inStates.cauchy.toFixed(2)} (Cauchy) and n^${inStates.dense.toFixed(2)} (dense), as l^${inLength.cauchy.toFixed(2)} and l^${inLength.dense.toFixed(2)}`);
// 2 and 1 by the operation counts; the margins are for what a small size spends on anything else.
if (inStates.dense < 1.5) throw new Error(`the dense filter's time should grow as n^2, got n^${inStates.dense}`);
if (inStates.cauchy > 1.3) throw new Error(`the Cauchy kernel's time should grow as n at most, got n^${inStates.cauchy}`);

if (values.full) {
  const series = (times: { cauchy: number[]; dense: number[] }, x: readonly number[]): { label: string; x: number[]; y: number[] }[] => [
    { label: "Cauchy sums and FFT", x: x.map(Math.log2), y: times.cauchy },
    { label: "dense steps", x: x.map(Math.log2), y: times.dense },
  ];
  const svg = plotSvg([
    { title: `Filter of one channel, l = ${L}: time over the number of states`, xLabel: "log2 n", yLabel: "ms", logY: true, series: series(byStates, states) },
    { title: `Filter of one channel, n = ${N}: time over its length`, xLabel: "log2 l", yLabel: "ms", logY: true, series: series(byLength, lengths) },
    {
      title: `Numbers held, l = ${L}: n + l against n^2 + l`, xLabel: "log2 n", yLabel: "numbers", logY: true,
      series: series({ cauchy: states.map((n) => n + L), dense: states.map((n) => n * n + L) }, states),
    },
  ]);
  mkdirSync(new URL(".", `file://${values.out}`), { recursive: true });
  writeFileSync(values.out, svg);
  console.log(`wrote ${values.out}`);
}
