import { FormatError, Rng, StatespaceError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import { mutate } from "./mutations.ts";
import { expressionFault } from "../src/file/expressionCost.ts";
import { ChatTemplate, parseTokenizer } from "../src/index.ts";
import { byteLevelBpe, SAMPLES, spaceBpe, unigram, wordPiece } from "./tokenizerFixtures.ts";

const files = { byteLevel: byteLevelBpe(), sentencePiece: spaceBpe(), wordPiece, unigram };
type Json = { [key: string]: Json } & Json[];
const changed = (text: string, change: (json: Json) => void): string => {
  const json = JSON.parse(text) as Json;
  change(json);
  return JSON.stringify(json);
};

describe("ids", () => {
  test.each([2 ** 31 - 1, 2 ** 32, 1e300, -1, 0.5, null, "7", [], {}, true])(
    "%j is refused by name, at once",
    async (id) => {
      for (const text of [files.byteLevel, files.sentencePiece, files.wordPiece])
        await expect(
          parseTokenizer(
            changed(text, (json) => (json.model!.vocab![Object.keys(json.model!.vocab!)[2]!] = id as never)),
          ),
        ).rejects.toThrow(/tokenizer.json: vocab: the id of ".*" must be a whole number in \[0, 4194304\), got/);
      await expect(
        parseTokenizer(changed(files.byteLevel, (json) => (json.added_tokens![0]!.id = id as never))),
      ).rejects.toThrow(/added_tokens: the id of "<\|endoftext\|>" must be/);
    },
  );

  test("with holes between them, as padded vocabularies have, load", async () => {
    const tokenizer = await parseTokenizer(
      changed(files.byteLevel, (json) => (json.added_tokens![0]!.id = 300_000 as never)),
    );
    expect(tokenizer.vocabSize).toBe(300_001);
    expect(tokenizer.decode(tokenizer.encode("hello"))).toBe("hello");
  });
});

/** What takes exponential, or cubic, time in engines that go back. */
const COSTLY = [
  "(a+)+b",
  "(a*)*b",
  "(a|a)*b",
  "(a|aa)+b",
  "(?:a?b?)*c",
  "(\\w+\\s?)*$",
  "([a-zA-Z]+)*$",
  "(?:a+){2,}b",
  "(.*)*x",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(a+|b)*c",
  "(\\d|\\w)+!",
  "(x+x+)+y",
  "(a{1,})+",
  "(?:a+){30}b",
  "(?i:a+)+",
  "a*a*a*b",
  "\\s*\\s*\\s*x",
  "x(?=(?:y+)+z)",
  "(?:[^\\s]+|\\p{L})+ ",
];
/** What published tokenizers cut texts by, and what is written like them. */
const FINE = [
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*",
  "\\p{N}{1,3}(?=(?:\\p{N}{3})*(\\P{N}|$))",
  "[一-龥぀-ゟ゠-ヿ]+",
  " {2,}",
  "(?:\\r?\\n)+",
  " ?[^(\\s|[.,!?…。，、।۔،])]+",
  "(?:\\s*,)+",
  "(?<=[a-z])(?=[A-Z])",
];

describe("expressions", () => {
  test.each(COSTLY)("%s is seen to be costly, wherever it stands", async (source) => {
    expect(expressionFault(source)).toBeDefined();
    const split = { type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false };
    const replace = { type: "Replace", pattern: { Regex: source }, content: " " };
    for (const part of [
      { pre_tokenizer: split },
      { pre_tokenizer: { type: "Sequence", pretokenizers: [split, { type: "ByteLevel" }] } },
      { normalizer: replace },
      { decoder: { type: "Sequence", decoders: [replace] } },
    ])
      await expect(parseTokenizer(changed(files.byteLevel, (json) => Object.assign(json, part)))).rejects.toThrow(
        /tokenizer.json: .*the expression ".*" has .*, which can take exponential time/,
      );
  });

  test.each(FINE)("%s is not", async (source) => {
    expect(expressionFault(source)).toBeUndefined();
    const split = { type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false };
    const cut = {
      type: "Sequence",
      pretokenizers: [split, { type: "ByteLevel", add_prefix_space: false, use_regex: false }],
    };
    const tokenizer = await parseTokenizer(changed(files.byteLevel, (json) => (json.pre_tokenizer = cut as never)));
    for (const text of SAMPLES) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});

/** Values of another kind than a file has there. */
const ODD = [
  null,
  0,
  -1,
  1e300,
  true,
  "x",
  "",
  [],
  {},
  [null],
  [[]],
  { type: 7 },
  { type: "Nothing" },
  { type: "Sequence" },
];

describe("chat templates", () => {
  test.each([
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(l=[1]) %}{% for i in range(64) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
    "{% for i in range(1000000) %}{% set x = range(1000000) %}{% endfor %}",
    "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
    "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{{ messages[0].constructor.constructor('return process')() }}",
    "{{ raise_exception.constructor('return process')() }}",
    "{{ 'a\nb' | indent(100000000) }}",
    "{{ messages | tojson(indent=100000000) }}",
    "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(40) %}{% set ns.s = ns.s | replace('x', 'xxxxxxxxxx') %}{% endfor %}",
    "{% set s = range(100000) | join(',') %}{% for i in range(100000) %}{% if 'z' in s %}{% endif %}{% endfor %}",
    "{% set s = range(900000) %}{% for i in range(100000) %}{% if 'z' in s %}{% endif %}{% endfor %}",
    "{% set x = range(900000) %}{% for i in range(1000) %}{{ (x + x) | length }}{% endfor %}",
  ])("%s ends as a typed error", async (text) => {
    const template = await ChatTemplate.parse(text);
    expect(() => template.render([{ role: "user", content: "a" }])).toThrow(FormatError);
  });

  test.each([
    ["white space in a row", " ".repeat(100_000) + "x"],
    ["empty lines", "a" + (" ".repeat(300) + "\n").repeat(300)],
    ["a long one", "x".repeat(2 ** 20 + 1)],
    ["braces", "{{" + "(".repeat(100_000)],
    ["statements in each other", "{% if true %}".repeat(10_000)],
  ])("%s: refused before it is cut into parts", async (_, text) => {
    await expect(ChatTemplate.parse(text)).rejects.toThrow(/^chat template "default": not valid Jinja: /);
  });

  test("a conversation of ten thousand messages is none", async () => {
    const template = await ChatTemplate.parse(
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}S{% endif %}<|{{ message['role'] }}|>{{ message['content'] | trim }}</s>{% endfor %}",
    );
    const messages = Array.from({ length: 10_000 }, (_, i) => ({ role: "user", content: ` ${i} ` }));
    expect(template.render(messages)).toMatch(/^S<\|user\|>0<.*>9999<\/s>$/);
  });
});

describe("mutants", () => {
  test.each(Object.entries(files))(
    "%s: any value at any place is read or refused with a typed error",
    async (_, text) => {
      const places: (readonly (string | number)[])[] = [];
      const walk = (value: unknown, path: readonly (string | number)[]): void => {
        places.push(path);
        if (typeof value === "object" && value !== null)
          // Of the tables, the first entries stand for all.
          for (const [key, each] of Object.entries(value).slice(0, 12)) walk(each, [...path, key]);
      };
      walk(JSON.parse(text), []);
      let refused = 0;
      for (const path of places)
        for (const odd of ODD) {
          const mutant = changed(`[${text}]`, (json) => {
            let at = json as Json;
            const whole = [0, ...path];
            for (const key of whole.slice(0, -1)) at = at[key as never] as Json;
            at[whole.at(-1) as never] = odd as never;
          }).slice(1, -1);
          if (!(await reads(mutant))) refused++;
        }
      expect(refused).toBeGreaterThan(places.length);
    },
  );

  test("2,000 files with other letters in them", async () => {
    const rng = new Rng(43);
    const texts = Object.values(files);
    let refused = 0;
    for (let round = 0; round < 2000; round++) if (!(await reads(mutate(texts[round % texts.length]!, rng)))) refused++;
    expect(refused).toBeGreaterThan(500);
  });

  test("parts inside each other without end, and settings of another kind", async () => {
    let deep: unknown = { type: "NFC" };
    for (let i = 0; i < 100_000; i++) deep = { type: "Sequence", normalizers: [deep] };
    const nested = `{"type":"Sequence","normalizers":[`.repeat(5000) + "]}".repeat(5000);
    await expect(
      parseTokenizer(files.byteLevel.replace('"normalizer":null', `"normalizer":${nested}`)),
    ).rejects.toThrow(FormatError);
    expect(deep).toBeDefined();
    for (const odd of ODD)
      for (const key of [
        "bos_token",
        "eos_token",
        "unk_token",
        "add_bos_token",
        "tokenizer_class",
        "clean_up_tokenization_spaces",
      ])
        expect(await reads(files.sentencePiece, JSON.stringify({ [key]: odd }))).toBeTypeOf("boolean");
  });
});

/** Whether a file is read; what it makes must then work, and what is thrown must be typed. */
async function reads(text: string, config = "{}"): Promise<boolean> {
  try {
    const tokenizer = await parseTokenizer(text, config);
    for (const sample of SAMPLES) tokenizer.decode(tokenizer.encode(sample));
    tokenizer.decode([0, 1, 5, 260]);
    return true;
  } catch (error) {
    if (!(error instanceof StatespaceError) || error.message === "")
      throw new Error(`untyped ${String(error)} for ${text.slice(0, 200)} ... ${config}`, { cause: error });
    return false;
  }
}
