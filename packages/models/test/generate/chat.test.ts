import { cpuBackend } from "@statespace/backend-cpu";
import { memory, setBackend } from "@statespace/core";
import { ByteTokenizer, ChatTemplate } from "@statespace/text";
import { beforeAll, describe, expect, it } from "vitest";
import { Chat, Model, Session } from "../../src/index.ts";

const PLAIN = `{% for m in messages %}[{{ m.role }}]{{ m.content }}
{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;
const SHOUTING = PLAIN.replace("{{ m.content }}", "{{ m.content | upper }}");
const tokenizer = new ByteTokenizer();
const OPTIONS = { maxNewTokens: 6, temperature: 2, eosTokenIds: [] };

const make = (): Model =>
  new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: 256 },
      layers: [
        { kind: "mamba", dState: 4 },
        { kind: "attention", nHeads: 2 },
      ],
      head: { kind: "language", tie: true },
      norm: "rms",
    },
    5,
  );

async function answer(chat: Chat, message: string): Promise<string> {
  let text = "";
  for await (const piece of chat.say(message, OPTIONS)) text += piece;
  return text;
}

describe("a chat", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("reads only what is new, and the text is the template's; saved, it goes on", async () => {
    const before = memory().tensors;
    const model = make();
    const template = await ChatTemplate.parse(PLAIN);
    const options = { template, system: "Be brief." };
    const chat = new Chat(new Session(model, { tokenizer, seed: 3 }), options);
    const first = await answer(chat, "Hello");
    const ids = [...chat.session.ids];
    expect(ids.slice(0, -6)).toEqual([...tokenizer.encode("[system]Be brief.\n[user]Hello\n[assistant]")]);
    const saved = await chat.session.save();
    const second = await answer(chat, "And?");
    // What was said stays as it was said; behind it comes the rest of the template.
    const between = tokenizer.encode("\n[user]And?\n[assistant]");
    expect(chat.session.ids.slice(0, ids.length + between.length)).toEqual([...ids, ...between]);
    expect(chat.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: first },
      { role: "user", content: "And?" },
      { role: "assistant", content: second },
    ]);
    const again = new Chat(new Session(model, { tokenizer }).restore(saved), options);
    expect(again.messages.length).toBe(3);
    expect(await answer(again, "And?")).toBe(second);
    for (const thing of [chat.session, again.session, model]) thing.dispose();
    expect(memory().tensors).toBe(before);
  });

  it("reads all of it anew where the template writes an answer otherwise than it was said", async () => {
    const model = make();
    const chat = new Chat(new Session(model, { tokenizer }), { template: await ChatTemplate.parse(SHOUTING) });
    // An answer of letters, so that upper case differs.
    let first = "";
    for await (const piece of chat.say("abc", { ...OPTIONS, maxNewTokens: 40 })) first += piece;
    expect(first.toUpperCase()).not.toBe(first);
    await answer(chat, "d");
    const prompt = `[user]ABC\n[assistant]${first.toUpperCase()}\n[user]D\n[assistant]`;
    expect(chat.session.ids.slice(0, -6)).toEqual([...tokenizer.encode(prompt)]);
    for (const thing of [chat.session, model]) thing.dispose();
  });

  it("keeps what was streamed of an answer that is left early", async () => {
    const model = make();
    const chat = new Chat(new Session(model, { tokenizer, seed: 1 }), { template: await ChatTemplate.parse(PLAIN) });
    let first = "";
    for await (const piece of chat.say("Hello", { ...OPTIONS, maxNewTokens: 40 })) {
      first += piece;
      if (first.length >= 3) break;
    }
    expect(chat.messages.at(-1)).toEqual({ role: "assistant", content: first });
    expect((await answer(chat, "Go on")).length).toBeGreaterThan(0);
    for (const thing of [chat.session, model]) thing.dispose();
  });

  it("needs a tokenizer and a text that is a chat", async () => {
    const model = make();
    const template = await ChatTemplate.parse(PLAIN);
    const bare = new Session(model);
    expect(() => new Chat(bare, { template })).toThrow("needs a session of one text with a tokenizer");
    const other = new Session(model, { tokenizer });
    await other.read("no chat");
    expect(() => new Chat(other, { template })).toThrow("has read something that is no chat");
    for (const thing of [bare, other, model]) thing.dispose();
  });
});
