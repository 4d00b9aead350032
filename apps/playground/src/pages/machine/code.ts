import type { Snippet } from "../../code/snippet.ts";
import { ROUNDED } from "./compute/rounding.ts";

/** A scan in float32 against the same in float64: the unit in which this page tells errors. */
export function roundingCode(seed: number): Snippet {
  return {
    name: "rounding-of-a-scan",
    mjs: `// x = a x + b in float32 and in float64: by how much they differ, in units of 2^-24 of the largest x
let [state, exact, rounded, error, scale] = [${seed}, 0, 0, 0, 0];
const draw = () => Math.fround((state = (state * 16807) % 2147483647) / 2147483647);
for (let t = 0; t < ${ROUNDED}; t++) {
  const [a, b] = [draw(), draw()];
  exact = a * exact + b;
  rounded = Math.fround(Math.fround(a * rounded) + b); // two roundings a step
  error = Math.max(error, Math.abs(rounded - exact));
  scale = Math.max(scale, Math.abs(exact));
}
console.log(JSON.stringify([error / (2 ** -24 * scale)]));
`,
    numpy: `# x = a x + b in float32 and in float64: by how much they differ, in units of 2^-24 of the largest x
import json
import numpy as np

state, drawn = ${seed}, []
for _ in range(2 * ${ROUNDED}):
    state = state * 16807 % 2147483647
    drawn.append(np.float32(state / 2147483647))
exact, rounded, error, scale = 0.0, np.float32(0), 0.0, 0.0
for a, b in zip(drawn[::2], drawn[1::2]):
    exact = float(a) * exact + float(b)
    rounded = a * rounded + b  # two roundings a step
    error = max(error, abs(float(rounded) - exact))
    scale = max(scale, abs(exact))
print(json.dumps([error / (2**-24 * scale)]))
`,
  };
}
