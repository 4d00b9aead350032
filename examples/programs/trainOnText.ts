// A small language model of one's own text, from nothing.
import { ByteTokenizer, fit, Model, Session, setBackend, wasmBackend, type ModelConfig } from "statespace";

await setBackend(wasmBackend());
const tokenizer = new ByteTokenizer();
const encoder: ModelConfig["encoder"] = { kind: "embedding", vocabSize: tokenizer.vocabSize };
const model = new Model({ dModel: 32, encoder, layers: ["mamba"], head: { kind: "language" } });
await fit({ model, tokenizer }, "the cat sat on the mat. ".repeat(100), { steps: 60, seqLen: 32, learningRate: 0.01 });
const session = await new Session(model, { tokenizer }).read("the cat ");
for await (const text of session.stream({ maxNewTokens: 16, greedy: true })) process.stdout.write(text);
