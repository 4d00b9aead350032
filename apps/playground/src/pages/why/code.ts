import type { Snippet } from "../../code/snippet.ts";

/** The last row of the attention map of a sentence. */
export function attentionCode(words: readonly string[], sharpness: number): Snippet {
  const said = JSON.stringify(words);
  return {
    name: "attention-row",
    mjs: `// who the last word looks at: softmax of what its letters have in common with each word's
const words = ${said};
const vector = (word) => {
  const counts = new Array(32).fill(0);
  for (const letter of word.toLowerCase()) counts[letter.codePointAt(0) % 32] += 1;
  const norm = Math.hypot(...counts) || 1;
  return counts.map((count) => count / norm);
};
const keys = words.map(vector);
const query = keys.at(-1);
const scores = keys.map((key) => ${sharpness} * key.reduce((sum, value, i) => sum + value * query[i], 0));
const weights = scores.map(Math.exp);
const total = weights.reduce((sum, weight) => sum + weight, 0);
console.log(JSON.stringify(weights.map((weight) => weight / total)));
`,
    numpy: `# who the last word looks at: softmax of what its letters have in common with each word's
import json
import numpy as np

words = ${said}

def vector(word):
    counts = np.zeros(32)
    for letter in word.lower():
        counts[ord(letter) % 32] += 1
    return counts / (np.linalg.norm(counts) or 1)

keys = np.array([vector(word) for word in words])
weights = np.exp(${sharpness} * keys @ keys[-1])
print(json.dumps((weights / weights.sum()).tolist()))
`,
  };
}
