import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { ArgumentError, FormatError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import { memorySource } from "@statespace/files";
import {
  ByteTokenizer,
  CharTokenizer,
  HuggingFaceTokenizer,
  loadTokenizer,
  parseTokenizer,
  tokenizerFiles,
} from "../src/index.ts";
import { byteLevelBpe, SAMPLES, spaceBpe } from "./tokenizerFixtures.ts";

const config = JSON.stringify({
  bos_token: "<|endoftext|>",
  eos_token: { content: "<|endoftext|>" },
  clean_up_tokenization_spaces: true,
});

describe("ByteTokenizer", () => {
  const tokenizer = new ByteTokenizer({ special: ["<eos>"] });

  test.each(SAMPLES)("%j comes back", (text) => {
    const ids = tokenizer.encode(text);
    expect(ids.length).toBe(new TextEncoder().encode(text).length);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  test("special tokens are shown only on demand; ids past them are refused", () => {
    expect(tokenizer).toMatchObject({ vocabSize: 257, eosId: 256 });
    expect(new ByteTokenizer()).toMatchObject({ vocabSize: 256 });
    expect(tokenizer.decode([72, 105, 256])).toBe("Hi");
    expect(tokenizer.decode([72, 105, 256], { special: true })).toBe("Hi<eos>");
    expect(tokenizer.decode([257, 50_000], { special: true })).toBe("");
    for (const id of [-1, 0.5, NaN]) expect(() => tokenizer.decode([id])).toThrow(ArgumentError);
  });

  test("bytes that are no UTF-8 become U+FFFD", () => {
    expect(tokenizer.decode([0xe6, 0x97])).toBe("\ufffd");
  });
});

describe("CharTokenizer", () => {
  const all = SAMPLES.join("");
  const tokenizer = CharTokenizer.fromText(all, { special: ["<eos>"] });

  test.each(SAMPLES)("%j comes back", (text) => {
    const ids = tokenizer.encode(text);
    expect(ids.length).toBe([...text].length);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  test("a character outside the vocabulary is an error, or the unknown one", () => {
    expect(() => tokenizer.encode("Ω")).toThrow(/"Ω" is not in the vocabulary/);
    const lenient = CharTokenizer.fromText("abc", { unknown: "?" });
    expect(lenient.decode(lenient.encode("aΩb"))).toBe("a?b");
  });

  test("bad vocabularies and ids are refused", () => {
    expect(() => new CharTokenizer(["a", "a"])).toThrow(ArgumentError);
    expect(() => new CharTokenizer(["ab"])).toThrow(ArgumentError);
    expect(() => new CharTokenizer([""])).toThrow(ArgumentError);
    expect(() => new CharTokenizer(["\ud800"])).toThrow(ArgumentError);
    expect(() => new CharTokenizer(["a"], { unknown: "b" })).toThrow(ArgumentError);
    for (const id of [-1, NaN, 0.5]) expect(() => tokenizer.decode([id])).toThrow(ArgumentError);
  });
});

describe.each([
  ["bytes", new ByteTokenizer({ special: ["<eos>"] })],
  ["characters", CharTokenizer.fromText(SAMPLES.join(""), { special: ["<eos>"] })],
])("our own tokenizer of %s", (_kind, tokenizer) => {
  test("saved and loaded, it is the same", async () => {
    const loaded = await loadTokenizer(memorySource(tokenizerFiles(tokenizer)));
    expect(loaded?.constructor).toBe(tokenizer.constructor);
    expect(loaded).toMatchObject({ vocabSize: tokenizer.vocabSize, eosId: tokenizer.eosId });
    for (const text of SAMPLES) expect(loaded?.encode(text)).toEqual(tokenizer.encode(text));
    expect(loaded?.toJson()).toBe(tokenizer.toJson());
  });

  test("Hugging Face's library reads the file and gives the same ids", () => {
    const files = tokenizerFiles(tokenizer);
    const library = new Library(
      JSON.parse(files["tokenizer.json"]) as object,
      JSON.parse(files["tokenizer_config.json"]) as object,
    );
    for (const text of SAMPLES.slice(1)) {
      const ids = library.encode(text).ids;
      expect(ids, text).toEqual([...tokenizer.encode(text)]);
      expect(library.decode(ids)).toBe(text);
    }
    expect(library.encode("ab<eos>").ids.at(-1)).toBe(tokenizer.eosId);
  });
});

describe.each([
  ["byte-level BPE", byteLevelBpe(), SAMPLES],
  ["BPE with byte fallback", spaceBpe(), ["", "Hello world", "Hell\u00ef 日本 😀", "w w"]],
])("%s through the library", (_kind, json, samples) => {
  test("text comes back", async () => {
    const tokenizer = await parseTokenizer(json, config);
    expect(tokenizer).toBeInstanceOf(HuggingFaceTokenizer);
    for (const text of samples) expect(tokenizer.decode(tokenizer.encode(text)), text).toBe(text);
  });

  test("decodes as the library does", async () => {
    const tokenizer = await parseTokenizer(json, config);
    const library = new Library(JSON.parse(json) as object, JSON.parse(config) as object);
    for (const text of samples.slice(1)) {
      const ids = [...tokenizer.encode(text)];
      expect(ids).toEqual(library.encode(text).ids);
      // Byte order marks aside, which the library drops.
      expect(tokenizer.decode(ids).replace("\ufeff", "")).toBe(
        library.decode(ids, { clean_up_tokenization_spaces: false }).replace("\ufeff", ""),
      );
    }
  });

  test("what is no id is refused; ids of a padded embedding have no text, as in the stream", async () => {
    const tokenizer = await parseTokenizer(json);
    for (const id of [-1, NaN, 1.5]) expect(() => tokenizer.decode([id])).toThrow(ArgumentError);
    const ids = [...tokenizer.encode("Hello")];
    expect(tokenizer.decode([...ids, tokenizer.vocabSize, ...ids])).toBe(tokenizer.decode([...ids, ...ids]));
    expect(tokenizer.decode([tokenizer.vocabSize + 7])).toBe("");
    expect(tokenizer.decode([])).toBe("");
  });
});

test("special tokens: found by the config, encoded as one id, left out of the text unless asked for", async () => {
  const tokenizer = await loadTokenizer(
    memorySource({ "tokenizer.json": byteLevelBpe(), "tokenizer_config.json": config }),
  );
  const ids = [...(tokenizer?.encode("ll  w<|endoftext|>") ?? [])];
  expect(tokenizer).toMatchObject({ bosId: 263, eosId: 263, vocabSize: 266 });
  expect(ids.length).toBe(4);
  expect(ids[3]).toBe(263);
  expect(tokenizer?.decode(ids)).toBe("ll  w");
  expect(tokenizer?.decode(ids, { special: true })).toBe("ll  w<|endoftext|>");
});

test("a folder's path is enough, as it is for a model; a Git LFS pointer is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "statespace-"));
  try {
    await writeFile(join(folder, "tokenizer.json"), byteLevelBpe());
    expect(await loadTokenizer(folder)).toMatchObject({ vocabSize: 266 });
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    await writeFile(join(folder, "tokenizer.json"), pointer);
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer\.json: a Git LFS pointer/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a folder without tokenizer.json has none", async () => {
  expect(await loadTokenizer(memorySource({}))).toBeUndefined();
});

test.each([
  "",
  "[]",
  "{}",
  "null",
  `{"model": 3}`,
  `{"model": {"type": "Nonsense"}}`,
  `{"model": {"type": "BPE"}}`,
  byteLevelBpe().slice(0, 500),
  byteLevelBpe().replace('"decoder":{"type":"ByteLevel"', '"decoder":{"type":"What"'),
])("a broken tokenizer.json is a FormatError: %.40j", async (text) => {
  await expect(parseTokenizer(text)).rejects.toThrow(FormatError);
});
