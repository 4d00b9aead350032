import type { Snippet } from "../../code/snippet.ts";

/** An induction head by hand: where the last word stood before, and the word after it. @param words of the text; the last one asks */
export function inductionCode(words: readonly string[], sharpness: number): Snippet {
  const text = JSON.stringify(words);
  return {
    name: "induction-head",
    mjs: `// an induction head: find where the last word stood before, and say the word that came after it
const text = ${text};
const asked = text.at(-1);
// first layer: every place learns which word stands before it; second: compare that word with the one that asks
const before = text.map((_, t) => text[t - 1]);
const scores = before.slice(0, -1).map((word) => (word === asked ? ${sharpness} : 0));
const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
const attention = scores.map((score) => Math.exp(score) / total);
const best = attention.indexOf(Math.max(...attention));
console.log(asked, "->", text[best]);
console.log(JSON.stringify(attention));
`,
    numpy: `# an induction head: find where the last word stood before, and say the word that came after it
import json
import numpy as np

text = np.array(${text})
asked = text[-1]
# first layer: every place learns which word stands before it; second: compare that word with the one that asks
before = np.concatenate([[""], text[:-1]])
scores = np.where(before[:-1] == asked, ${sharpness}.0, 0.0)
attention = np.exp(scores) / np.exp(scores).sum()
print(asked, "->", text[attention.argmax()])
print(json.dumps(attention.tolist()))
`,
  };
}
