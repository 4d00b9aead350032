import { list, type Snippet } from "../../code/snippet.ts";

/** The states of the animation, by a loop and by a tree. */
export function scanCode(a: readonly number[], b: readonly number[]): Snippet {
  return {
    name: "parallel-scan",
    mjs: `// x = a x + b for each element: one after another, and by merging neighbours
const a = ${list(a)};
const b = ${list(b)};
let x = 0;
const loop = a.map((keep, t) => (x = keep * x + b[t]));

let steps = a.map((keep, t) => ({ a: keep, b: b[t] }));
const merge = (first, second) => ({ a: second.a * first.a, b: second.a * first.b + second.b });
for (let far = 1; far < steps.length; far *= 2) // each round reaches twice as far back, all elements at once
  steps = steps.map((step, t) => (t < far ? step : merge(steps[t - far], step)));
const tree = steps.map((step) => step.b);

console.log("largest difference", Math.max(...loop.map((value, t) => Math.abs(value - tree[t]))));
console.log(JSON.stringify(tree));
`,
    numpy: `# x = a x + b for each element: one after another, and by merging neighbours
import json
import numpy as np

a = np.array(${list(a)})
b = np.array(${list(b)})
x, loop = 0.0, []
for keep, write in zip(a, b):
    x = keep * x + write
    loop.append(x)

A, X, far = a.copy(), b.copy(), 1
while far < len(a):  # each round reaches twice as far back, all elements at once
    X[far:], A[far:] = A[far:] * X[:-far] + X[far:], A[far:] * A[:-far]
    far *= 2
print("largest difference", np.abs(X - loop).max())
print(json.dumps(X.tolist()))
`,
  };
}
