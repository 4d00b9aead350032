// A hybrid whose weights are packed learns to answer: a small adapter beside them, which Hugging Face's PEFT loads too.
import { fit, load } from "statespace";

const lm = await load(process.argv[2] ?? "ibm-granite/granite-4.0-h-350m", { weights: "q8" });
const pairs = Object.entries({ "Who hunts the whale?": "Ahab.", "Who tells of it?": "Ishmael." });
const turn = (role: string, content: string): { role: string; content: string } => ({ role, content });
const data = pairs.map(([asked, told]) => ({ messages: [turn("user", asked), turn("assistant", told)] }));
const { adapter, loss } = await fit(lm, data, { adapter: { rank: 8 }, steps: 4, batchSize: 1, heldOut: 0 });
console.log(`${adapter?.size} of ${lm.model.size} weights, loss ${loss.toFixed(2)}`);
await lm.save("answers"); // adapter_config.json, adapter_model.safetensors
const again = (await load("answers")).chat();
for await (const text of again.say("Who tells of it?", { maxNewTokens: 8 })) process.stdout.write(text);
