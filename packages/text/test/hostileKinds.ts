import type { Rng } from "@statespace/core";
import { ChatTemplate, parseTokenizer } from "../src/index.ts";
import { mutate } from "./mutations.ts";
import { byteLevelBpe, SAMPLES, spaceBpe, unigram, wordPiece } from "./tokenizerFixtures.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const changed = (file: Uint8Array, rng: Rng): Uint8Array => encode(mutate(decode(file), rng));

/** Every part is there, if only to say that there is none. */
const whole = (text: string): string =>
  JSON.stringify({ normalizer: null, post_processor: null, ...(JSON.parse(text) as object) });

/** Templates as models have them: roles, a system message, tools, thoughts. */
const TEMPLATES = [
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system = messages[0]['content'] | trim %}{% else %}{% set loop_messages = messages %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ '[INST] ' ~ message.content | trim ~ ' [/INST]' }}{% endfor %}",
  "{%- macro shown(tool) -%}{{ tool | tojson(indent=4) }}{%- endmacro -%}{%- set ns = namespace(last=-1) -%}{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}{%- if tools is defined -%}{%- for tool in tools -%}{{ shown(tool) }}{%- endfor -%}{%- endif -%}{%- for m in messages -%}{%- set text = m.content.split('</think>') | last -%}{{ m.role | upper }}: {{ text.strip() if loop.index0 <= ns.last else m.content }}{%- for i in range(3) -%}{{ i }}{%- endfor -%}{%- endfor -%}",
];
const MESSAGES = [
  { role: "user", content: " a\nb " },
  { role: "assistant", content: "<think>x</think>yes" },
  { role: "user", content: "c" },
];

/** Kinds of text files for `pnpm hostile`: whole ones, how they are changed, and what reads and uses them. */
export const textKinds = {
  tokenizer: {
    seeds: [byteLevelBpe(), spaceBpe(), whole(wordPiece), whole(unigram)].map(encode),
    mutate: changed,
    async read(bytes: Uint8Array): Promise<void> {
      const tokenizer = await parseTokenizer(decode(bytes));
      for (const sample of SAMPLES) tokenizer.decode(tokenizer.encode(sample));
      tokenizer.decode([0, 1, 5, 260]);
    },
  },
  template: {
    seeds: TEMPLATES.map(encode),
    mutate: changed,
    async read(bytes: Uint8Array): Promise<void> {
      const template = await ChatTemplate.parse({
        templates: { default: decode(bytes) },
        specialTokens: { bos_token: "<s>" },
      });
      template.render(MESSAGES, { addGenerationPrompt: true, tools: [{ name: "f", parameters: { a: [1, 2] } }] });
    },
  },
};
