import { ArgumentError, FormatError } from "@statespace/core";
import { memorySource } from "@statespace/files";
import { describe, expect, test } from "vitest";
import { formatTime } from "../src/chat/jinja.ts";
import { type ChatMessage, type ChatRenderOptions, ChatTemplate, loadChatTemplate } from "../src/index.ts";

/** The template of ChatML, as many models have it. */
const chatml =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
/** Of the kind of Llama 2 and Mistral: roles must alternate. */
const alternating = `{{ bos_token }}{% for m in messages %}
{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate user/assistant') }}{% endif %}
{%- if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}
{%- endfor %}`;
const messages: ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
];

describe("rendering", () => {
  test("messages, with and without what begins the answer", async () => {
    const template = await ChatTemplate.parse(chatml);
    const text = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n";
    expect(template.render(messages)).toBe(text);
    expect(template.render(messages, { addGenerationPrompt: true })).toBe(`${text}<|im_start|>assistant\n`);
    expect(template.render([])).toBe("");
  });

  test("special tokens, tools, documents, further variables and fields of messages reach the template", async () => {
    const parts = {
      templates: {
        default: `{{ bos_token }}{% for t in tools %}{{ t | tojson }}{% endfor %}{{ documents[0].title }}{{ mood }}{{ messages[0].tool_calls[0].name }}`,
      },
      specialTokens: { bos_token: "<s>" },
    };
    const template = await ChatTemplate.parse(parts);
    const options = { tools: [{ name: "f", x: "é" }], documents: [{ title: "D" }], variables: { mood: "M" } };
    const asked = [{ role: "assistant", tool_calls: [{ name: "call" }] }];
    expect(template.render(asked, options)).toBe('<s>{"name": "f", "x": "é"}DMcall');
  });

  test("several templates by name; the one for tools is taken where there are tools", async () => {
    const template = await ChatTemplate.parse({ templates: { default: "plain", tool_use: "tools", rag: "rag" } });
    expect(template.names).toEqual(["default", "tool_use", "rag"]);
    expect(template.render(messages)).toBe("plain");
    expect(template.render(messages, { tools: [{}] })).toBe("tools");
    expect(template.render(messages, { template: "rag" })).toBe("rag");
    expect(() => template.render(messages, { template: "other" })).toThrow(
      /must be one of default, tool_use, rag, got "other"/,
    );
  });
});

test("dates are English everywhere, as transformers writes them", async () => {
  expect(formatTime(new Date(2026, 1, 3, 4, 5, 6), "%A, %d %B %Y, %a %b %y %m %H:%M:%S 100%% %q")).toBe(
    "Tuesday, 03 February 2026, Tue Feb 26 02 04:05:06 100% %q",
  );
  const template = await ChatTemplate.parse(
    "{{ strftime_now('%Y') }}{{ True }}{{ range(2, 8, 3) | join(',') }}{{ none is none }}",
  );
  expect(template.render([])).toMatch(/^2\d{3}true2,5true$/);
});

describe("errors", () => {
  test("the template's own refusal is told in its words", async () => {
    const template = await ChatTemplate.parse({
      templates: { default: alternating },
      specialTokens: { bos_token: "<s>", eos_token: "</s>" },
    });
    const good = [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ];
    expect(template.render(good)).toBe("<s>[INST] a [/INST] b</s>");
    expect(() => template.render([...good].reverse())).toThrow(ArgumentError);
    expect(() => template.render([...good].reverse())).toThrow(/refuses: roles must alternate user\/assistant/);
  });

  test.each(["{% if x %}", "{{ x", "{% for %}", "{% endfor %}"])("%j is no Jinja", async (text) => {
    await expect(ChatTemplate.parse(text)).rejects.toThrow(FormatError);
    await expect(ChatTemplate.parse(text)).rejects.toThrow(/not valid Jinja/);
  });

  test.each([
    "{% for x in nothing %}{% endfor %}",
    "{{ messages | nosuch }}",
    "{% for i in range(1000000000) %}{% endfor %}",
    "{% for i in range(0, 1, 0) %}{% endfor %}",
  ])("%j cannot be rendered", async (text) => {
    const template = await ChatTemplate.parse(text);
    expect(() => template.render(messages)).toThrow(FormatError);
  });

  test("messages that are none, and unknown options, are refused by name", async () => {
    const template = await ChatTemplate.parse(chatml);
    expect(() => template.render("hello" as unknown as ChatMessage[])).toThrow(/messages must be a list/);
    expect(() => template.render([{ content: "x" } as unknown as ChatMessage])).toThrow(
      /messages\[0\]\.role must be a text/,
    );
    const wrong = { add_generation_prompt: true } as ChatRenderOptions;
    expect(() => template.render(messages, wrong)).toThrow(/option "add_generation_prompt" is not one of tools/);
    await expect(ChatTemplate.parse({ templates: {} })).rejects.toThrow(ArgumentError);
  });
});

describe("loading", () => {
  const config = (chatTemplate: unknown): string =>
    JSON.stringify({ bos_token: { content: "<s>" }, eos_token: "</s>", pad_token: null, chat_template: chatTemplate });

  test("from tokenizer_config.json, a file of its own, which comes first, and the older one", async () => {
    const render = async (files: Record<string, string>): Promise<string | undefined> =>
      (await loadChatTemplate(memorySource(files)))?.render([{ role: "user", content: "a" }]);
    expect(await render({ "tokenizer_config.json": config("{{ bos_token }}one{{ eos_token }}") })).toBe("<s>one</s>");
    const both = { "tokenizer_config.json": config("one"), "chat_template.jinja": "two{{ eos_token }}" };
    expect(await render(both)).toBe("two</s>");
    expect(await render({ "chat_template.json": JSON.stringify({ chat_template: "three" }) })).toBe("three");
    const list = [
      { name: "default", template: "four" },
      { name: "tool_use", template: "five" },
    ];
    expect(await render({ "tokenizer_config.json": config(list) })).toBe("four");
    expect(await render({ "tokenizer_config.json": config(undefined) })).toBeUndefined();
    expect(await render({})).toBeUndefined();
  });

  test.each([3, {}, [], ["x"], [{ name: "a" }], [{ name: "a", template: "b" }, 3]])(
    "chat_template %j is refused",
    async (value) => {
      await expect(loadChatTemplate(memorySource({ "tokenizer_config.json": config(value) }))).rejects.toThrow(
        /tokenizer_config\.json: chat_template must be/,
      );
    },
  );
});
