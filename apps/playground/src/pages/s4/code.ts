import { rows, type Snippet } from "../../code/snippet.ts";
import { TAPS, type InitName, type TargetName } from "./compute/names.ts";

const targets: Readonly<Record<TargetName, { readonly js: string; readonly numpy: string }>> = {
  echo: { js: "Math.exp(-(((t - lag) / 6) ** 2) / 2)", numpy: "np.exp(-(((t - lag) / 6) ** 2) / 2)" },
  boxcar: { js: "t < lag ? 1 : 0", numpy: "np.where(t < lag, 1.0, 0.0)" },
  ringing: {
    js: "Math.exp(-t / 80) * Math.cos((2 * Math.PI * t) / Math.max(8, lag / 2))",
    numpy: "np.exp(-t / 80) * np.cos(2 * np.pi * t / max(8, lag / 2))",
  },
};

export interface Fitted {
  readonly n: number;
  readonly delta: number;
  readonly target: TargetName;
  readonly lag: number;
}

/** What each state adds to a filter, n rows: of S4, which keeps LegS whole. A is triangular there, and so is what the bilinear rule solves. */
const whole = {
  js: `const [b, a] = [(i) => Math.sqrt(2 * i + 1), (i, k) => (i > k ? -b(i) * b(k) : i === k ? -(i + 1) : 0)];
const half = (i, x) => (delta / 2) * x.reduce((sum, v, k) => sum + a(i, k) * v, 0); // delta / 2 A x
const solve = (v) => v.reduce((x, value, i) => [...x, (value + half(i, x)) / (1 - (delta / 2) * a(i, i))], []);
let x = solve(Array.from({ length: n }, (_, i) => delta * b(i)));
const states = wanted.map(() => [x, (x = solve(x.map((v, i) => v + half(i, x))))][0]);
const basis = x.map((_, i) => states.map((state) => state[i]));`,
  numpy: `b = np.sqrt(2 * np.arange(n) + 1)
A = -np.tril(np.outer(b, b), -1) - np.diag(np.arange(1.0, n + 1))
left = np.eye(n) - delta / 2 * A  # bilinear rule
ABar, x, states = np.linalg.solve(left, np.eye(n) + delta / 2 * A), np.linalg.solve(left, delta * b), []
for _ in t:
    states.append(x)
    x = ABar @ x
basis = np.array(states).T`,
};

/** The same of S4D: real and imaginary part of 2 exp(delta lambda t) (exp(delta lambda) - 1) / lambda. @param eigenvalues one of each pair, [n / 2, 2] */
function diagonal(eigenvalues: ArrayLike<number>): { readonly js: string; readonly numpy: string } {
  const pairs = rows(
    Array.from({ length: eigenvalues.length / 2 }, (_, i) => [eigenvalues[2 * i]!, eigenvalues[2 * i + 1]!]),
  );
  return {
    js: `const basis = ${pairs}.flatMap(([re, im]) => { // eigenvalues
  const wave = (t) => [Math.cos, Math.sin].map((turn) => Math.exp(delta * re * t) * turn(delta * im * t));
  const [[p, q], size] = [wave(1), re * re + im * im];
  const [bRe, bIm] = [((p - 1) * re + q * im) / size, (q * re - (p - 1) * im) / size]; // (exp(delta lambda) - 1) / lambda
  return [wanted.map((_, t) => 2 * (wave(t)[0] * bRe - wave(t)[1] * bIm)), wanted.map((_, t) => -2 * (wave(t)[0] * bIm + wave(t)[1] * bRe))];
});`,
    numpy: `re, im = np.array(${pairs}).T
eigenvalues = re + 1j * im
BBar = (np.exp(delta * eigenvalues) - 1) / eigenvalues
waves = 2 * np.exp(delta * np.outer(eigenvalues, t)) * BBar[:, None]
basis = np.stack([waves.real, -waves.imag], axis=1).reshape(n, len(t))`,
  };
}

/** The best filter that the first eigenvalues can give: by how much it misses the one that is wanted. */
export function fitCode(init: InitName, eigenvalues: ArrayLike<number>, { n, delta, target, lag }: Fitted): Snippet {
  const basis = init === "legs" ? whole : diagonal(eigenvalues);
  return {
    name: `s4-${init}-fit`,
    mjs: `// the filter nearest to a wanted one that n states can give: least squares over C
const [n, delta, lag] = [${n}, ${delta}, ${lag}];
const wanted = Array.from({ length: ${TAPS} }, (_, t) => ${targets[target].js});
${basis.js}
const dot = (p, q) => p.reduce((sum, v, t) => sum + v * q[t], 0);
const gram = basis.map((p) => [...basis.map((q) => dot(p, q)), dot(p, wanted)]);
const ridge = 1e-7 * Math.max(...basis.map((p) => dot(p, p)));
gram.forEach((row, i) => { // elimination
  row[i] += ridge;
  gram.filter((other) => other !== row).forEach((other) => {
    const share = other[i] / row[i];
    row.forEach((v, c) => (other[c] -= share * v));
  });
});
const miss = wanted.map((v, t) => gram.reduce((sum, row, i) => sum + (row[n] / row[i]) * basis[i][t], -v));
console.log(JSON.stringify([Math.hypot(...miss) / Math.hypot(...wanted)]));
`,
    numpy: `# the filter nearest to a wanted one that n states can give: least squares over C
import json
import numpy as np

n, delta, lag = ${n}, ${delta}, ${lag}
t = np.arange(${TAPS})
wanted = ${targets[target].numpy}
${basis.numpy}
gram = basis @ basis.T
C = np.linalg.solve(gram + 1e-7 * np.abs(gram).max() * np.eye(n), basis @ wanted)
print(json.dumps([float(np.linalg.norm(C @ basis - wanted) / np.linalg.norm(wanted))]))
`,
  };
}
