import { list, type Snippet } from "../../code/snippet.ts";
import type { Measure } from "./compute/lssl.ts";

/** A and B of a HiPPO memory by their formulas, in both languages. */
interface Written {
  readonly js: { readonly a: string; readonly b: string };
  readonly numpy: { readonly a: string; readonly b: string };
}

const written: Readonly<Record<Measure, Written>> = {
  legs: {
    js: { a: "i > k ? -b(i) * b(k) : i === k ? -(i + 1) : 0", b: "Math.sqrt(2 * i + 1)" },
    numpy: { a: "-np.tril(np.outer(B, B), -1) - np.diag(i + 1.0)", b: "np.sqrt(2 * i + 1.0)" },
  },
  legt: {
    js: { a: "-2 * b(i) * b(k) * (i < k && (k - i) % 2 ? -1 : 1)", b: "Math.sqrt(2 * i + 1) / 2" },
    numpy: {
      a: "-2 * np.outer(B, B) * np.where((i[:, None] < i) & ((i - i[:, None]) % 2 == 1), -1, 1)",
      b: "np.sqrt(2 * i + 1.0) / 2",
    },
  },
  fourier: {
    js: {
      a: "((i ^ 1) === k ? Math.sign(i - k) * Math.PI * (i >> 1) : 0) - b(i) * b(k)",
      b: "i % 2 ? 0 : i ? Math.SQRT2 : 1",
    },
    numpy: {
      a: "np.where(i[:, None] ^ 1 == i, np.sign(i[:, None] - i) * np.pi * (i[:, None] >> 1), 0) - np.outer(B, B)",
      b: "np.where(i % 2 == 1, 0, np.where(i > 0, np.sqrt(2), 1.0))",
    },
  },
};

/** One layer, run step by step and as one convolution. @param C [n] @param u [l] */
export function viewsCode(
  measure: Measure,
  n: number,
  delta: number,
  C: ArrayLike<number>,
  u: ArrayLike<number>,
): Snippet {
  const { js, numpy } = written[measure];
  return {
    name: "two-views",
    mjs: `// one layer, two views: a recurrence, and a convolution with C BBar, C ABar BBar, C ABar^2 BBar, ...
const [n, delta] = [${n}, ${delta}];
const C = ${list(C)};
const u = ${list(u)};
const [b, a] = [(i) => (${js.b}), (i, k) => ${js.a}];
const all = Array.from({ length: n }, (_, i) => i);
const left = all.map((i) => all.map((k) => (i === k ? 1 : 0) - (delta / 2) * a(i, k))); // bilinear rule
function solve(v) { // left x = v, by elimination
  const rows = left.map((row, i) => [...row, v[i]]);
  rows.forEach((row, i) => rows.filter((other) => other !== row).forEach((other) => {
    const share = other[i] / row[i];
    row.forEach((value, c) => (other[c] -= share * value));
  }));
  return rows.map((row, i) => row[n] / row[i]);
}
const half = (i, x) => (delta / 2) * x.reduce((sum, value, k) => sum + a(i, k) * value, 0);
const next = (x, input) => solve(x.map((value, i) => value + half(i, x) + delta * b(i) * input));
const run = (inputs, x = all.map(() => 0)) => inputs.map((input) => (x = next(x, input)).reduce((y, v, i) => y + C[i] * v, 0));
const filter = run(u.map((_, t) => (t === 0 ? 1 : 0))); // the answer to one pulse
const convolved = u.map((_, t) => u.slice(0, t + 1).reduce((y, v, s) => y + filter[t - s] * v, 0));
console.log("largest difference", Math.max(...run(u).map((y, t) => Math.abs(y - convolved[t]))));
console.log(JSON.stringify(convolved));
`,
    numpy: `# one layer, two views: a recurrence, and a convolution with C BBar, C ABar BBar, C ABar^2 BBar, ...
import json
import numpy as np

n, delta = ${n}, ${delta}
C = np.array(${list(C)})
u = np.array(${list(u)})
i = np.arange(n)
B = ${numpy.b}
A = ${numpy.a}
left = np.eye(n) - delta / 2 * A  # bilinear rule
ABar, BBar = np.linalg.solve(left, np.eye(n) + delta / 2 * A), np.linalg.solve(left, delta * B)

x, recurrence = np.zeros(n), []
for value in u:
    x = ABar @ x + BBar * value
    recurrence.append(C @ x)
filter = [C @ np.linalg.matrix_power(ABar, t) @ BBar for t in range(len(u))]
y = np.convolve(filter, u)[: len(u)]
print("largest difference", np.abs(y - recurrence).max())
print(json.dumps(y.tolist()))
`,
  };
}
