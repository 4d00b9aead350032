// A text is saved and goes on later: state, tokens and the generator of its draws, bit for bit.
import { bundledCheckpoint, load, open, save } from "statespace";

const lm = await load(bundledCheckpoint(), { backend: "cpu" });
const today = await lm.session({ seed: 7 }).read("My fellow citizens");
for await (const text of today.stream({ maxNewTokens: 16 })) process.stdout.write(text);
await save(today, "speech.safetensors");
const tomorrow = lm.session().restore(await open("speech.safetensors"));
for await (const text of tomorrow.stream({ maxNewTokens: 16 })) process.stdout.write(text);
