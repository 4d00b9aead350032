import type { Snippet } from "../../code/snippet.ts";

/** LegS's matrix, scaled, row by row. */
export function legsCode(n: number): Snippet {
  return {
    name: "hippo-legs",
    mjs: `// HiPPO-LegS: each coefficient fades by itself and is driven by those of lower degree
const N = ${n};
const A = Array.from({ length: N }, (_, n) =>
  Array.from({ length: N }, (_, k) => {
    if (n === k) return -(n + 1);
    return n > k ? -Math.sqrt(2 * n + 1) * Math.sqrt(2 * k + 1) : 0;
  }));
// divided by the roots and with its sign turned it is the table 1 / 1 2 / 1 3 3 / 1 3 5 4
const table = A.map((row, n) => row.map((a, k) => (-a * Math.sqrt(2 * k + 1)) / Math.sqrt(2 * n + 1)));
console.log(table.slice(0, 4).map((row) => row.slice(0, 4).map((x) => Math.round(x)).join(" ")).join(" / "));
console.log(JSON.stringify(A.flat()));
`,
    numpy: `# HiPPO-LegS: each coefficient fades by itself and is driven by those of lower degree
import json
import numpy as np

N = ${n}
n = np.arange(N)
root = np.sqrt(2 * n + 1)
A = -np.tril(np.outer(root, root), -1) - np.diag(n + 1.0)
# divided by the roots and with its sign turned it is the table 1 / 1 2 / 1 3 3 / 1 3 5 4
table = -A * root[None, :] / root[:, None]
print(" / ".join(" ".join(str(round(x)) for x in row[:4]) for row in table[:4]))
print(json.dumps((A + 0.0).ravel().tolist()))
`,
  };
}
