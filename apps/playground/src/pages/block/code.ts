import { list, type Snippet } from "../../code/snippet.ts";
import type { LayerTrace } from "./compute/trace.ts";

/** One step of one channel with all its numbers. */
export function stepCode(trace: LayerTrace, before: ArrayLike<number>, t: number, c: number): Snippet {
  const { d, n } = trace;
  const number = (value: number): string => String(+value.toPrecision(8));
  const [u, z, raw] = [trace.u[t * d + c]!, trace.z[t * d + c]!, trace.deltaRaw[t * d + c]!].map(number);
  const A = list(trace.A.subarray(c * n, (c + 1) * n));
  const [B, C] = [trace.B, trace.C].map((all) => list(all.subarray(t * n, (t + 1) * n)));
  const D = number(trace.D[c]!);
  return {
    name: "mamba-step",
    mjs: `// one token through one channel of the selective SSM
const A = ${A};
const B = ${B};
const C = ${C};
const before = ${list(before)}; // the state
const [u, z, D] = [${u}, ${z}, ${D}];
const delta = Math.log1p(Math.exp(${raw})); // softplus
const silu = (x) => x / (1 + Math.exp(-x));

const after = before.map((x, i) => Math.exp(delta * A[i]) * x + delta * B[i] * u);
const y = after.reduce((sum, x, i) => sum + C[i] * x, D * u);
console.log("y", y, "after the gate", y * silu(z));
console.log(JSON.stringify([...after, y, y * silu(z)]));
`,
    numpy: `# one token through one channel of the selective SSM
import json
import numpy as np

A = np.array(${A})
B = np.array(${B})
C = np.array(${C})
before = np.array(${list(before)})  # the state
u, z, D = ${u}, ${z}, ${D}
delta = np.log1p(np.exp(${raw}))  # softplus

after = np.exp(delta * A) * before + delta * B * u
y = C @ after + D * u
gated = y * z / (1 + np.exp(-z))
print("y", y, "after the gate", gated)
print(json.dumps([*after.tolist(), y, gated]))
`,
  };
}
