import { list, type Snippet } from "../../code/snippet.ts";

/** What the jar holds of each word. */
export function jarCode(words: readonly string[], deltas: readonly number[]): Snippet {
  return {
    name: "delta-jar",
    mjs: `// one number as a memory: a large delta forgets and writes, a small one keeps
const words = ${JSON.stringify(words)};
const deltas = ${list(deltas)};
let shares = [];
for (const delta of deltas) {
  const keep = Math.exp(-delta); // A-bar, with A = -1
  shares = [...shares.map((share) => keep * share), 1 - keep]; // zero-order hold: B-bar = 1 - A-bar
}
words.forEach((word, i) => console.log(word, (100 * shares[i]).toFixed(1) + " %"));
console.log(JSON.stringify(shares));
`,
    numpy: `# one number as a memory: a large delta forgets and writes, a small one keeps
import json
import numpy as np

words = ${JSON.stringify(words)}
deltas = np.array(${list(deltas)})
keep = np.exp(-deltas)  # A-bar, with A = -1
later = np.append(np.cumprod(keep[::-1])[::-1][1:], 1)  # what all later steps keep
shares = (1 - keep) * later  # zero-order hold: B-bar = 1 - A-bar
for word, share in zip(words, shares):
    print(word, f"{100 * share:.1f} %")
print(json.dumps(shares.tolist()))
`,
  };
}
