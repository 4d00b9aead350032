import type { Snippet } from "../../code/snippet.ts";

/** Characters of the text that go into the code. */
const MOST = 400;

/** What the beginning of a text costs one who guesses, one who knows how frequent each character is, and one who also sees the one before. */
export function bitsCode(whole: string): Snippet {
  const text = JSON.stringify([...whole].slice(0, MOST).join(""));
  return {
    name: "bits-a-character",
    mjs: `// bits a character: for one who guesses, who knows frequencies, and who also sees the character before
const text = [...${text}];
function entropy(tokens) {
  const counts = new Map();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / tokens.length) * Math.log2(n / tokens.length), 0);
}
const pairs = text.slice(1).map((character, t) => text[t] + character);
const guessing = Math.log2(new Set(text).size);
const frequency = entropy(text);
const before = entropy(pairs) - entropy(text.slice(0, -1)); // of a pair, less what its first half has told
console.log(JSON.stringify([guessing, frequency, before]));
`,
    numpy: `# bits a character: for one who guesses, who knows frequencies, and who also sees the character before
import json
import numpy as np

text = list(${text})

def entropy(tokens):
    _, counts = np.unique(np.array(tokens), return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())

pairs = [a + b for a, b in zip(text, text[1:])]
guessing = float(np.log2(len(set(text))))
frequency = entropy(text)
before = entropy(pairs) - entropy(text[:-1])  # of a pair, less what its first half has told
print(json.dumps([guessing, frequency, before]))
`,
  };
}
