import type { Snippet } from "../../code/snippet.ts";

/** How large the eigenvalues of the oscillator become under each rule. */
export function rulesCode(delta: number, damping: number): Snippet {
  return {
    name: "discretization-rules",
    mjs: `// eigenvalues of [[0, 1], [-4, -2 damping]] in one step of each rule: above 1 it explodes
const [delta, damping] = [${delta}, ${damping}];
const under = damping * damping - 4; // what stands under the root
const lambdas = [1, -1].map((sign) =>
  under < 0 ? [-damping, sign * Math.sqrt(-under)] : [-damping + sign * Math.sqrt(under), 0]);
const size = ([re, im]) => Math.hypot(re, im);
const plus = ([re, im], share) => [1 + share * delta * re, share * delta * im]; // 1 + share delta lambda
const rules = {
  zoh: (lambda) => Math.exp(delta * lambda[0]),
  bilinear: (lambda) => size(plus(lambda, 0.5)) / size(plus(lambda, -0.5)),
  forward: (lambda) => size(plus(lambda, 1)),
  backward: (lambda) => 1 / size(plus(lambda, -1)),
};
console.log(JSON.stringify(Object.values(rules).map((rule) => Math.max(...lambdas.map(rule)))));
`,
    numpy: `# eigenvalues of [[0, 1], [-4, -2 damping]] in one step of each rule: above 1 it explodes
import json
import numpy as np

delta, damping = ${delta}, ${damping}
A = np.array([[0, 1], [-4, -2 * damping]])
lambdas = np.linalg.eigvals(A).astype(complex)
rules = [
    np.exp(delta * lambdas),                                # zero-order hold
    (1 + delta / 2 * lambdas) / (1 - delta / 2 * lambdas),  # bilinear
    1 + delta * lambdas,                                    # forward Euler
    1 / (1 - delta * lambdas),                              # backward Euler
]
print(json.dumps([float(np.abs(each).max()) for each in rules]))
`,
  };
}
