// Shows LoadedModel, Chat of @statespace/models.
import { load } from "statespace";
import { Chat, LoadedModel } from "@statespace/models";

const lm = await load("./model", { backend: "cpu" });
const chat = lm.chat();
console.log(
  lm instanceof LoadedModel,
  chat instanceof Chat,
  lm.model.size,
  "weights;",
  lm.tokenizer!.vocabSize,
  "tokens",
);
for await (const text of chat.say("Hello", { maxNewTokens: 4 })) process.stdout.write(text);
console.log("\n", chat.messages);
lm.dispose();
