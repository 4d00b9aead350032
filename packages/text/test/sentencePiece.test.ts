import { readFileSync } from "node:fs";
import { FormatError } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { loadTokenizer, parseTokenizer } from "../src/index.ts";
import { readSentencePiece } from "../src/sentencePiece/readModel.ts";
import { sentencePieceJson } from "../src/sentencePiece/toTokenizerJson.ts";

interface Fixture {
  readonly models: readonly {
    readonly name: string;
    readonly cases: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
  }[];
}

const fixtures = new URL("fixtures/", import.meta.url);
const { models } = JSON.parse(readFileSync(new URL("sentencePiece.json", fixtures), "utf8")) as Fixture;
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.model`, fixtures)));
const folder = (name: string, config?: object): Map<string, Uint8Array> =>
  new Map([
    ["tokenizer.model", bytesOf(name)],
    ...(config ? [["tokenizer_config.json", new TextEncoder().encode(JSON.stringify(config))] as const] : []),
  ]);

describe.each(models)("$name", ({ name, cases }) => {
  it.each(cases)("$text: the ids and the text of sentencepiece", async ({ text, ids, decoded }) => {
    const tokenizer = (await loadTokenizer(folder(name)))!;
    expect([...tokenizer.encode(text)]).toEqual(ids);
    // What has no piece is a special token here, which is no text; sentencepiece writes a sign for it.
    if (ids.length > 0) expect(tokenizer.decode(ids)).toBe(decoded.replaceAll(" ⁇ ", ""));
  });

  it("its tokenizer.json is read again as the same tokenizer", async () => {
    const tokenizer = (await loadTokenizer(folder(name)))!;
    const again = await parseTokenizer(tokenizer.toJson());
    for (const { text, ids } of cases) expect([...again.encode(text)]).toEqual(ids);
  });
});

describe("tokenizer.model", () => {
  it("the config says how texts begin, and what their ends are called", async () => {
    const plain = (await loadTokenizer(folder("bpe-bytes")))!;
    const { bosId, eosId } = readSentencePiece(bytesOf("bpe-bytes"));
    expect([plain.bosId, plain.eosId]).toEqual([bosId, eosId]);
    const own = [...plain.encode("The model")];
    for (const config of [{ add_bos_token: true }, { tokenizer_class: "LlamaTokenizer" }]) {
      const tokenizer = (await loadTokenizer(folder("bpe-bytes", config)))!;
      expect([...tokenizer.encode("The model")]).toEqual([bosId, ...own]);
    }
    const both = (await loadTokenizer(folder("bpe-bytes", { add_bos_token: true, add_eos_token: true })))!;
    expect([...both.encode("The model")]).toEqual([bosId, ...own, eosId]);
    const none = (await loadTokenizer(
      folder("bpe-bytes", { tokenizer_class: "LlamaTokenizer", add_bos_token: false }),
    ))!;
    expect([...none.encode("The model")]).toEqual(own);
  });

  it("bytes of a character are text when it is whole", async () => {
    const tokenizer = (await loadTokenizer(folder("bpe-bytes")))!;
    const ids = tokenizer.encode("😀");
    expect(ids.length).toBeGreaterThan(4); // a space before it, and no piece for it
    expect(tokenizer.decode(ids)).toBe("😀");
  });

  it("a table of characters goes into tokenizer.json", async () => {
    const model = readSentencePiece(bytesOf("unigram"));
    const json = sentencePieceJson({ ...model, charsmap: Uint8Array.of(1, 2, 255) }, { addBos: false, addEos: false });
    expect(JSON.parse(json)).toMatchObject({
      normalizer: { normalizers: [{ type: "Precompiled", precompiled_charsmap: "AQL/" }, {}, {}, {}, {}] },
    });
    // Compatible forms become one, and white space of any kind a space.
    const tokenizer = await parseTokenizer(json);
    expect([...tokenizer.encode("ﬁne\tＡ")]).toEqual([...tokenizer.encode("fine A")]);
  });

  it.each([
    ["empty", new Uint8Array(0), "holds no pieces"],
    ["cut", bytesOf("bpe-bytes").subarray(0, 5000), "tokenizer.model: "],
    ["another message", Uint8Array.of(8, 1), "a piece must be bytes"],
    ["noise", Uint8Array.from({ length: 300 }, (_, i) => (i * 37) % 251), "tokenizer.model: "],
    ["a page", new TextEncoder().encode("<!DOCTYPE html><html></html>"), "tokenizer.model: "],
  ])("%s: refused by a typed error", async (_, bytes, message) => {
    const loading = loadTokenizer(new Map([["tokenizer.model", bytes]]));
    await expect(loading).rejects.toThrow(FormatError);
    await expect(loading).rejects.toThrow(message);
  });

  it("a model of words is refused by its type", async () => {
    // one piece, and trainer_spec { model_type: WORD }
    const bytes = Uint8Array.of(0x0a, 0x03, 0x0a, 0x01, 0x61, 0x12, 0x02, 0x18, 0x03);
    await expect(loadTokenizer(new Map([["tokenizer.model", bytes]]))).rejects.toThrow(
      "must be of type unigram or bpe, got word",
    );
  });
});

describe("vocab.json with merges.txt", () => {
  const encode = (value: unknown): Uint8Array =>
    new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  const letters = [
    "h",
    "e",
    "l",
    "o",
    "Ġ",
    "w",
    "r",
    "d",
    "he",
    "ll",
    "hell",
    "hello",
    "Ġw",
    "or",
    "ld",
    "Ġwor",
    "Ġworld",
  ];
  const vocab = Object.fromEntries(letters.map((token, id) => [token, id]));
  const merges = "#version: 0.2\nh e\nl l\nhe ll\nhell o\nĠ w\no r\nl d\nĠw or\nĠwor ld\n";
  const files = (more: Readonly<Record<string, unknown>> = {}): Map<string, Uint8Array> =>
    new Map(
      Object.entries({ "vocab.json": vocab, "merges.txt": merges, ...more })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, encode(value)]),
    );

  it("is byte-level BPE; further tokens from wherever they are told", async () => {
    const tokenizer = (await loadTokenizer(
      files({
        "tokenizer_config.json": {
          tokenizer_class: "GPT2Tokenizer",
          added_tokens_decoder: { 20: { content: "<x>", special: false } },
        },
        "special_tokens_map.json": { eos_token: { content: "<end>" } },
        "added_tokens.json": { "<end>": 21 },
      }),
    ))!;
    expect([...tokenizer.encode("hello world<end><x>")]).toEqual([11, 16, 21, 20]);
    expect(tokenizer.decode([11, 16, 21, 20])).toBe("hello world<x>");
    expect(tokenizer.decode([21], { special: true })).toBe("<end>");
    expect(tokenizer.eosId).toBe(21);
    expect(tokenizer.vocabSize).toBe(22);
  });

  it("Qwen's classes cut texts as they do", async () => {
    const tokenizer = (await loadTokenizer(files({ "tokenizer_config.json": { tokenizer_class: "Qwen2Tokenizer" } })))!;
    expect([...tokenizer.encode("hello world")]).toEqual([11, 16]);
    expect(JSON.parse(tokenizer.toJson())).toMatchObject({ normalizer: { type: "NFC" } });
  });

  it.each([
    [{ "merges.txt": undefined }, "vocab.json: needs merges.txt beside it"],
    [{ "merges.txt": "#version: 0.2\nh e l\n" }, 'merges.txt: merge 1 must be two tokens, got "h e l"'],
    [{ "vocab.json": { h: -1 } }, 'vocab.json: the id of "h" must be a whole number from 0'],
    [{ "vocab.json": "[" }, "vocab.json: not valid JSON"],
    [{ "added_tokens.json": "[]" }, "added_tokens.json: must be a JSON object"],
    [
      { "tokenizer_config.json": { tokenizer_class: "WhisperTokenizer" } },
      "how WhisperTokenizer cuts texts is not known",
    ],
  ])("%j is refused: %s", async (change, message) => {
    const loading = loadTokenizer(files(change));
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(FormatError);
  });

  it("a folder with none of these files has no tokenizer", async () => {
    expect(await loadTokenizer(new Map())).toBeUndefined();
  });
});
