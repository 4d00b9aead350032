import type { Snippet } from "../../code/snippet.ts";

/** From where a cache of keys and values is larger than the state, and what both hold now. */
export function growthCode(layers: number, dModel: number, stateBytes: number, tokens: number): Snippet {
  return {
    name: "state-against-cache",
    mjs: `// what Mamba keeps of a text, and what attention of the same depth and width would keep, in float32
const [layers, dModel, stateBytes, tokens] = [${layers}, ${dModel}, ${stateBytes}, ${tokens}];
const cacheBytes = (length) => 4 * 2 * layers * dModel * length; // a key and a value a layer, for every token
let overtaken = 0;
while (cacheBytes(overtaken) <= stateBytes) overtaken++;
for (const length of [1, 10, 100, 1000, 10000]) console.log(length, stateBytes, cacheBytes(length));
console.log(JSON.stringify([overtaken, stateBytes, cacheBytes(tokens)])); // from here on the cache is the larger
`,
    numpy: `# what Mamba keeps of a text, and what attention of the same depth and width would keep, in float32
import json
import numpy as np

layers, d_model, state_bytes, tokens = ${layers}, ${dModel}, ${stateBytes}, ${tokens}
lengths = np.arange(1_000_000)
cache_bytes = 4 * 2 * layers * d_model * lengths  # a key and a value a layer, for every token
overtaken = int(np.argmax(cache_bytes > state_bytes))
for length in [1, 10, 100, 1000, 10000]:
    print(length, state_bytes, cache_bytes[length])
print(json.dumps([overtaken, state_bytes, int(cache_bytes[tokens])]))  # from here on the cache is the larger
`,
  };
}

/** Surprise of each token in bits, and the perplexity. @param surprise -log2 of what each token was expected with */
export function surpriseCode(tokens: readonly string[], surprise: readonly (number | undefined)[]): Snippet {
  const told = tokens.flatMap((token, t) => (surprise[t] === undefined ? [] : [[token, 2 ** -surprise[t]] as const]));
  const words = JSON.stringify(told.map(([token]) => token));
  const shares = `[${told.map(([, share]) => share.toPrecision(8)).join(", ")}]`;
  return {
    name: "surprise-in-bits",
    mjs: `// how surprised the model was at each token, from the probability that it had given it
const tokens = ${words};
const expected = ${shares};
const bits = expected.map((p) => -Math.log2(p));
tokens.forEach((token, t) => console.log(JSON.stringify(token), bits[t].toFixed(2), "bits"));
const mean = bits.reduce((sum, each) => sum + each, 0) / bits.length;
console.log("perplexity", 2 ** mean); // as if it had guessed among so many
console.log(JSON.stringify(bits));
`,
    numpy: `# how surprised the model was at each token, from the probability that it had given it
import json
import numpy as np

tokens = ${words}
expected = np.array(${shares})
bits = -np.log2(expected)
for token, each in zip(tokens, bits):
    print(repr(token), round(float(each), 2), "bits")
print("perplexity", 2 ** bits.mean())  # as if it had guessed among so many
print(json.dumps(bits.tolist()))
`,
  };
}
