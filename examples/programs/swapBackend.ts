// In the middle of a text the model, and what it has read and said, moves to another backend.
import { bundledCheckpoint, load } from "statespace";

const lm = await load(bundledCheckpoint(), { backend: "wasm" });
const session = await lm.session().read("The state of the");
for await (const text of session.stream({ maxNewTokens: 12 })) process.stdout.write(text);
await session.to("cpu");
for await (const text of session.stream({ maxNewTokens: 12 })) process.stdout.write(text);
console.log(`\nended on ${lm.model.backend.name}`);
