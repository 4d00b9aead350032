// A conversation by the model's own template, whose state is kept: it goes on after the program has ended.
import { load, open, save } from "statespace";

const lm = await load(process.argv[2] ?? "./model"); // a folder with a chat template
const chat = lm.chat({ system: "Be brief." });
for await (const text of chat.say("Hello", { maxNewTokens: 16 })) process.stdout.write(text);
await save(chat, "chat.safetensors");
const later = lm.chat().restore(await open("chat.safetensors"));
for await (const text of later.say("And then?", { maxNewTokens: 16 })) process.stdout.write(text);
console.log(`\n${later.messages.length} messages, ${later.session.ids.length} tokens`);
