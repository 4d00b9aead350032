import { list, rows, type Snippet } from "../../code/snippet.ts";
import type { Duality } from "./compute/duality.ts";

/** The output of one head, as a matrix and as a recurrence. */
export function dualityCode({ a, u, B, C }: Duality): Snippet {
  return {
    name: "state-space-duality",
    mjs: `// one layer, two readings: a recurrence, and attention under a mask that fades
const a = ${list(a)};
const u = ${list(u)};
const B = ${rows(B)};
const C = ${rows(C)};
const dot = (p, q) => p.reduce((sum, value, i) => sum + value * q[i], 0);

let state = B[0].map(() => 0);
const recurrence = a.map((keep, t) => {
  state = state.map((x, i) => keep * x + B[t][i] * u[t]);
  return dot(C[t], state);
});
const fade = (s, t) => a.slice(s + 1, t + 1).reduce((product, each) => product * each, 1);
const matrix = a.map((_, t) => u.slice(0, t + 1).reduce((y, input, s) => y + fade(s, t) * dot(C[t], B[s]) * input, 0));
console.log("largest difference", Math.max(...matrix.map((y, t) => Math.abs(y - recurrence[t]))));
console.log(JSON.stringify(matrix));
`,
    numpy: `# one layer, two readings: a recurrence, and attention under a mask that fades
import json
import numpy as np

a = np.array(${list(a)})
u = np.array(${list(u)})
B = np.array(${rows(B)})
C = np.array(${rows(C)})

state, recurrence = np.zeros(B.shape[1]), []
for t in range(len(a)):
    state = a[t] * state + B[t] * u[t]
    recurrence.append(C[t] @ state)
mask = np.array([[np.prod(a[s + 1 : t + 1]) if s <= t else 0 for s in range(len(a))] for t in range(len(a))])
y = (mask * (C @ B.T)) @ u
print("largest difference", np.abs(y - recurrence).max())
print(json.dumps(y.tolist()))
`,
  };
}
