import { ArgumentError, FormatError } from "@statespace/core";
import { GgufStrings, type GgufValue } from "@statespace/files";
import { describe, expect, test } from "vitest";
import {
  BpeTokenizer,
  ByteTokenizer,
  CharTokenizer,
  ggufTextFiles,
  ggufTextValues,
  parseTokenizer,
  tokenizerFiles,
  trainBpe,
} from "../src/index.ts";
import { byteLevelBpe, SAMPLES } from "./tokenizerFixtures.ts";

const asMap = (values: Record<string, GgufValue>): ReadonlyMap<string, GgufValue> => new Map(Object.entries(values));
const back = (files: Record<string, string>, vocabSize: number): Record<string, string> =>
  ggufTextFiles(asMap(ggufTextValues(files, vocabSize)));
const strings = (value: GgufValue | undefined): string[] => (value!.value as GgufStrings).toArray();

describe("tokenizers go into a GGUF file's metadata and come back", () => {
  test("our BPE, with the ids of its special tokens", async () => {
    const bpe = trainBpe(["the cat sat on the mat, the cat sat"], { vocabSize: 280, specialTokens: ["<|endoftext|>"] });
    const files = back(tokenizerFiles(bpe), 288);
    const again = await parseTokenizer(files["tokenizer.json"]!, files["tokenizer_config.json"]);
    expect(again).toBeInstanceOf(BpeTokenizer);
    for (const text of SAMPLES) expect(again.encode(text)).toEqual(bpe.encode(text));
    expect(again.eosId).toBe(bpe.eosId);
  });

  test("bytes", async () => {
    const files = back(tokenizerFiles(new ByteTokenizer({ special: ["<end>"] })), 257);
    const again = await parseTokenizer(files["tokenizer.json"]!, files["tokenizer_config.json"]);
    expect(again).toBeInstanceOf(ByteTokenizer);
    expect(again.eosId).toBe(256);
  });

  test("a tokenizer.json of another library", async () => {
    const text = byteLevelBpe();
    const files = back({ "tokenizer.json": text }, 300);
    const [first, again] = [await parseTokenizer(text), await parseTokenizer(files["tokenizer.json"]!)];
    for (const sample of SAMPLES) {
      expect(again.encode(sample)).toEqual(first.encode(sample));
      expect(again.decode(again.encode(sample))).toBe(sample);
    }
  });

  test("what is written: types, padding, merges", () => {
    const values = ggufTextValues(tokenizerFiles(new ByteTokenizer({ special: ["<end>"] })), 259);
    expect(values["tokenizer.ggml.model"]).toEqual({ type: "string", value: "gpt2" });
    expect(values["tokenizer.ggml.pre"]).toEqual({ type: "string", value: "gpt-2" });
    expect(strings(values["tokenizer.ggml.tokens"]).slice(255)).toEqual(["ÿ", "<end>", "[PAD257]", "[PAD258]"]);
    expect([...(values["tokenizer.ggml.token_type"]!.value as Int32Array)].slice(255)).toEqual([1, 3, 5, 5]);
    expect(strings(values["tokenizer.ggml.merges"])).toEqual([]);
    expect(values["tokenizer.ggml.eos_token_id"]).toEqual({ type: "uint32", value: 256 });
    expect(values["tokenizer.ggml.add_bos_token"]).toEqual({ type: "bool", value: false });
  });

  test.each(["qwen2", "qwen35", "llama-bpe", "refact", "tekken", "gpt-4o", "falcon", "default"])(
    "pieces of %s have the same name when they are written again, and text goes through",
    async (pre) => {
      const values = { ...ggufTextValues(tokenizerFiles(new ByteTokenizer()), 256), "tokenizer.ggml.pre": { type: "string", value: pre } } as const; // prettier-ignore
      const files = ggufTextFiles(asMap(values));
      expect(ggufTextValues(files, 256)["tokenizer.ggml.pre"]!.value).toBe(pre);
      const tokenizer = await parseTokenizer(files["tokenizer.json"]!);
      for (const sample of SAMPLES) expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
    },
  );

  test("a text that begins with a token does so again", async () => {
    const values = { ...ggufTextValues(tokenizerFiles(new ByteTokenizer({ special: ["<s>"] })), 257) };
    values["tokenizer.ggml.bos_token_id"] = { type: "uint32", value: 256 };
    values["tokenizer.ggml.add_bos_token"] = { type: "bool", value: true };
    const files = ggufTextFiles(asMap(values));
    const tokenizer = await parseTokenizer(files["tokenizer.json"]!, files["tokenizer_config.json"]);
    expect([...tokenizer.encode("a")]).toEqual([256, 97]);
    expect(ggufTextValues(files, 257)["tokenizer.ggml.add_bos_token"]!.value).toBe(true);
  });
});

describe("SentencePiece's BPE", () => {
  const tokens = ["<unk>", "<s>", "</s>", ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`), "▁", "a", "b", "c", "ab", "▁a", "▁ab", "abc"]; // prettier-ignore
  const types = tokens.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1));
  const score: Record<string, number> = { ab: -1, "▁a": -2, abc: -3, "▁ab": -4 };
  const values: Record<string, GgufValue> = {
    "tokenizer.ggml.model": { type: "string", value: "llama" },
    "tokenizer.ggml.tokens": { type: "array", items: "string", value: GgufStrings.of(tokens) },
    "tokenizer.ggml.token_type": { type: "array", items: "int32", value: Int32Array.from(types) },
    "tokenizer.ggml.scores": {
      type: "array",
      items: "float32",
      value: Float32Array.from(tokens, (token) => score[token] ?? -9),
    },
    "tokenizer.ggml.bos_token_id": { type: "uint32", value: 1 },
    "tokenizer.ggml.eos_token_id": { type: "uint32", value: 2 },
  };

  test("merges the piece of the highest score first, falls back to bytes, and puts a space before the text", async () => {
    const files = ggufTextFiles(asMap(values));
    const tokenizer = await parseTokenizer(files["tokenizer.json"]!, files["tokenizer_config.json"]);
    const pieces = (text: string): string[] => [...tokenizer.encode(text)].map((id) => tokens[id]!);
    // ▁ a b c: first "ab" (-1), then "abc" (-3) before "▁ab" (-4).
    expect(pieces("abc")).toEqual(["<s>", "▁", "abc"]);
    expect(pieces("ab")).toEqual(["<s>", "▁ab"]);
    expect(pieces("é")).toEqual(["<s>", "▁", "<0xC3>", "<0xA9>"]);
    expect(tokenizer.decode(tokenizer.encode("abc ab é"))).toBe("abc ab é");
    expect(tokenizer.eosId).toBe(2);
  });
});

describe("templates and sampling", () => {
  test("come back", () => {
    const files = {
      "chat_template.jinja": "{{ messages }}",
      "generation_config.json": JSON.stringify({
        do_sample: true,
        temperature: 0.8,
        top_k: 40,
        top_p: 0.95,
        min_p: 0.05,
        repetition_penalty: 1.1,
      }),
    };
    const again = back(files, 256);
    expect(again["chat_template.jinja"]).toBe("{{ messages }}");
    expect(JSON.parse(again["generation_config.json"]!)).toEqual(JSON.parse(files["generation_config.json"]));
  });

  test("greedy is temperature 0", () => {
    const values = ggufTextValues({ "generation_config.json": '{"do_sample": false, "temperature": 0.5}' }, 9);
    expect(values["general.sampling.temp"]).toEqual({ type: "float32", value: 0 });
    expect(JSON.parse(ggufTextFiles(asMap(values))["generation_config.json"]!)).toMatchObject({ do_sample: false });
  });

  test("no tokenizer is said", () => {
    expect(ggufTextValues({}, 9)).toEqual({ "tokenizer.ggml.model": { type: "string", value: "none" } });
    expect(ggufTextFiles(asMap(ggufTextValues({}, 9)))).toEqual({});
  });
});

describe("what cannot be is told", () => {
  const bpe = trainBpe(["abab abab abab"], { vocabSize: 258 });
  const own = tokenizerFiles(bpe);
  const size = bpe.vocabSize;
  test("tokenizers of another kind, other pieces, ids that the model has no row for", () => {
    expect(() => ggufTextValues(tokenizerFiles(CharTokenizer.fromText("abc")), 9)).toThrow(ArgumentError);
    const json = JSON.parse(own["tokenizer.json"]!) as Record<string, unknown>;
    const other = JSON.stringify({
      ...json,
      pre_tokenizer: { type: "Split", pattern: { Regex: "x" }, behavior: "Isolated", invert: false },
    });
    expect(() => ggufTextValues({ "tokenizer.json": other }, size)).toThrow(
      /does not know how this tokenizer.json cuts/,
    );
    expect(() => ggufTextValues(own, size - 1)).toThrow(/must have an id below the model's/);
  });

  test("keys of another type, lists of another length, ids of no token", () => {
    const values = ggufTextValues(own, size);
    const read = (key: string, value: GgufValue) => () => ggufTextFiles(asMap({ ...values, [key]: value }));
    expect(read("tokenizer.ggml.tokens", { type: "uint32", value: 1 })).toThrow(
      '"tokenizer.ggml.tokens" must be a list of texts',
    );
    expect(read("tokenizer.ggml.token_type", { type: "array", items: "int32", value: Int32Array.of(1) })).toThrow(
      `must be a list of ${size} numbers`,
    );
    expect(read("tokenizer.ggml.eos_token_id", { type: "uint32", value: size })).toThrow(
      `must be the id of one of ${size} tokens, got ${size}`,
    );
    expect(read("tokenizer.chat_template", { type: "bool", value: true })).toThrow(FormatError);
  });
});
