import { list, rows, type Snippet } from "../../code/snippet.ts";
import { SHARPNESS, type Stack, type Trial } from "./compute/recall.ts";

/** How many pairs come back right from a state and from attention, in one trial. */
export function recallCode({ keys, values, signs }: Trial): Snippet {
  return {
    name: "recall-from-a-state",
    mjs: `// pairs in a state of fixed size, S = sum of v k^T, read by S q; attention weighs every pair sharply
const keys = ${rows(keys)};
const values = ${list(values)}; // of each key, which row of signs
const signs = ${rows(signs)};
const dot = (p, q) => p.reduce((sum, x, i) => sum + x * q[i], 0);
const nearest = (read) => signs.map((each) => dot(each, read)).reduce((best, fit, i, all) => (fit > all[best] ? i : best), 0);
const mix = (weights) => signs[0].map((_, row) => weights.reduce((sum, w, i) => sum + w * signs[values[i]][row], 0));
const right = (weigh) =>
  keys.filter((query, i) => nearest(mix(keys.map((key) => weigh(dot(key, query))))) === values[i]).length;
// the state weighs by the bare product: S q = sum of v (k . q)
const [state, attention] = [right((p) => p), right((p) => Math.exp(${SHARPNESS} * (p - 1)))];
console.log(JSON.stringify([state / keys.length, attention / keys.length]));
`,
    numpy: `# pairs in a state of fixed size, S = sum of v k^T, read by S q; attention weighs every pair sharply
import json
import numpy as np

keys = np.array(${rows(keys)})
values = np.array(${list(values)})  # of each key, which row of signs
signs = np.array(${rows(signs)})
S = signs[values].T @ keys
by_state = (signs @ S @ keys.T).argmax(axis=0)
weights = np.exp(${SHARPNESS} * (keys @ keys.T - 1))
by_attention = (signs @ signs[values].T @ weights).argmax(axis=0)
print(json.dumps([float((by_state == values).mean()), float((by_attention == values).mean())]))
`,
  };
}

/** Bytes that a stack keeps after some tokens, and after lengths that double twice each. */
export function stackCode({ layers, attention, dModel, dState }: Stack, tokens: number): Snippet {
  return {
    name: "bytes-a-stack-keeps",
    mjs: `// what a stack of Mamba and attention keeps of a text, in 16-bit numbers
const [layers, attention, dModel, dState, tokens] = ${list([layers, attention, dModel, dState, tokens])};
const dInner = 2 * dModel;
const state = dInner * dState + dInner * 3; // and the last three inputs of the convolution
const kept = (length) => [
  2 * (layers - attention) * state, // a state a layer, whatever the length
  2 * attention * 2 * dModel * length, // keys and values of every token
];
for (const length of [128, 512, 2048, 8192, 32768, 131072]) console.log(length, kept(length)[0] + kept(length)[1]);
console.log(JSON.stringify(kept(tokens)));
`,
    numpy: `# what a stack of Mamba and attention keeps of a text, in 16-bit numbers
import json
import numpy as np

layers, attention, d_model, d_state, tokens = ${list([layers, attention, dModel, dState, tokens])}
d_inner = 2 * d_model
state = d_inner * d_state + d_inner * 3  # and the last three inputs of the convolution
states = 2 * (layers - attention) * state  # a state a layer, whatever the length
lengths = np.array([128, 512, 2048, 8192, 32768, 131072, tokens])
caches = 2 * attention * 2 * d_model * lengths  # keys and values of every token
print(dict(zip(lengths.tolist(), (states + caches).tolist())))
print(json.dumps([states, int(caches[-1])]))
`,
  };
}
