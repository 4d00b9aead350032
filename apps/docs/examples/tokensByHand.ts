import { bundledCheckpoint, generate, load } from "statespace";
import { checkSampling, Decoder, prefill, PREFILL_CHUNK } from "@statespace/models";

const { model, tokenizer } = await load(bundledCheckpoint(), { backend: "cpu" });
const prompt = tokenizer!.encode("The state of the");
for await (const { id } of generate(model, [prompt], { maxNewTokens: 3, greedy: true })) console.log(id);
const { state, logits } = await prefill(model, [prompt]); // in pieces of PREFILL_CHUNK tokens
const decoder = new Decoder(model, state, 1);
let id = argMax(logits);
for (let token = 0; token < 3; token++) {
  console.log(id);
  id = argMax(await decoder.next([id])); // a step is captured, then replayed
}
checkSampling({ temperature: 0.7 }); // one that is out of its range is refused
console.log(PREFILL_CHUNK, state.bytes, "bytes of state");
function argMax(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
