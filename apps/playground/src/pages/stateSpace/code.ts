import { list, rows, type Snippet } from "../../code/snippet.ts";
import { STEP, STEPS, type InputKind, type SystemNumbers } from "./compute.ts";

const inputs: Readonly<Record<Exclude<InputKind, "hand">, { readonly js: string; readonly numpy: string }>> = {
  impulse: { js: "t >= 0.5 && t < 0.75 ? 4 : 0", numpy: "np.where((t >= 0.5) & (t < 0.75), 4.0, 0.0)" },
  step: { js: "t >= 0.5 && t < 6 ? 1 : 0", numpy: "np.where((t >= 0.5) & (t < 6), 1.0, 0.0)" },
  sine: { js: "Math.sin(2 * t)", numpy: "np.sin(2 * t)" },
};

/** The system driven by a scripted input: its last state, and the largest output. */
export function systemCode({ A, B, C, D }: SystemNumbers, kind: Exclude<InputKind, "hand">): Snippet {
  const matrix = rows([A.slice(0, 2), A.slice(2)]);
  const hertz = Math.round(1 / STEP);
  return {
    name: "state-space-system",
    mjs: `// x' = A x + B u, y = C x + D u, with the input held over each step
const [A, B, C, D] = [${matrix}, ${list(B)}, ${list(C)}, ${D[0]}];
const [delta, steps] = [1 / ${hertz}, ${STEPS}];
const input = (t) => (${inputs[kind].js});
// exp(delta [[A, B], [0, 0]]) = [[ABar, BBar], [0, 1]], by its series
const M = [...A.map((row, i) => [...row, B[i]]), [0, 0, 0]].map((row) => row.map((v) => delta * v));
const times = (P, Q) => P.map((row) => Q[0].map((_, j) => row.reduce((sum, v, k) => sum + v * Q[k][j], 0)));
let term = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
let E = term;
for (let k = 1; k < 30; k++) {
  term = times(term, M).map((row) => row.map((v) => v / k));
  E = E.map((row, i) => row.map((v, j) => v + term[i][j]));
}
let [x, peak] = [[0, 0], 0];
for (let k = 0; k < steps; k++) {
  const u = input(k * delta);
  x = [0, 1].map((i) => E[i][0] * x[0] + E[i][1] * x[1] + E[i][2] * u);
  peak = Math.max(peak, Math.abs(C[0] * x[0] + C[1] * x[1] + D * u));
}
console.log(JSON.stringify([...x, peak])); // the last state, the largest output
`,
    numpy: `# x' = A x + B u, y = C x + D u, with the input held over each step
import json
import numpy as np

A, B, C, D = np.array(${matrix}), np.array(${list(B)}), np.array(${list(C)}), ${D[0]}
delta, steps = 1 / ${hertz}, ${STEPS}
t = np.arange(steps) * delta
u = ${inputs[kind].numpy}
# exp(delta [[A, B], [0, 0]]) = [[ABar, BBar], [0, 1]], by its series
M = delta * np.block([[A, B[:, None]], [np.zeros((1, 3))]])
term = E = np.eye(3)
for k in range(1, 30):
    term = term @ M / k
    E = E + term
x, peak = np.zeros(2), 0.0
for held in u:
    x = E[:2, :2] @ x + E[:2, 2] * held
    peak = max(peak, abs(C @ x + D * held))
print(json.dumps([*x.tolist(), float(peak)]))  # the last state, the largest output
`,
  };
}
