// What is inside: an embedding of the text, the hidden states after each layer, and what each layer chose for each token.
import { bundledCheckpoint, load } from "statespace";

const lm = await load(bundledCheckpoint());
const { tokens, hidden, mixers, embedding, perplexity } = await lm.inspect("The state of the Union", {
  layers: true,
  mixers: true,
  perplexity: true,
});
console.log(`${tokens.length} tokens [${hidden.length} x ${hidden[0]?.shape}], perplexity ${perplexity?.toFixed(1)}`);
for (const { delta } of mixers) console.log("delta", delta?.shape, "begins", delta?.values.slice(0, 3));
console.log("embedding begins", embedding.mean.slice(0, 4));
