import type { Snippet } from "../../code/snippet.ts";

/** Parity by a state that turns. */
export function parityCode(bits: readonly number[], share: number): Snippet {
  return {
    name: "parity-by-turning",
    mjs: `// a state that turns tells even from odd; a state that only fades cannot
const bits = ${JSON.stringify(bits)};
const angle = 2 * Math.PI * ${share};
let [re, im] = [1, 0];
const points = bits.map((bit) => {
  const [cos, sin] = [Math.cos(bit * angle), Math.sin(bit * angle)];
  [re, im] = [re * cos - im * sin, re * sin + im * cos];
  return re;
});
console.log(points.map((x) => (x < 0 ? "odd" : "even")).join(" "));
console.log(JSON.stringify(points));
`,
    numpy: `# a state that turns tells even from odd; a state that only fades cannot
import json
import numpy as np

bits = np.array(${JSON.stringify(bits)})
state = np.cumprod(np.exp(2j * np.pi * ${share} * bits))
print(" ".join("odd" if x < 0 else "even" for x in state.real))
print(json.dumps(state.real.tolist()))
`,
  };
}
