import { describe, expect, it } from "vitest";
import { parseTokenizer, StreamDecoder, type Tokenizer } from "../src/index.ts";

/** What the library leaves out of a description; the expected values are those of Hugging Face's `tokenizers` (Rust, 0.22). */
const BYTES = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
const WORDS = ["▁", "▁the", "▁ca", "t", "▁▁▁", "a", ".", ",", "▁c"];
const VOCABULARY = ["<unk>", ...BYTES, ...WORDS];
const id = (token: string): number => VOCABULARY.indexOf(token);

const metaspace = (more: object): object => ({ type: "Metaspace", replacement: "▁", ...more });
const unigram = (space: object, byteFallback: boolean): Promise<Tokenizer> =>
  parseTokenizer(
    JSON.stringify({
      version: "1.0",
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: metaspace(space),
      post_processor: null,
      decoder: metaspace(space),
      model: {
        type: "Unigram",
        unk_id: 0,
        vocab: VOCABULARY.map((token) => [token, -1 - 0.7 * token.length]),
        byte_fallback: byteFallback,
      },
    }),
  );

describe("spaces of a text's first token", () => {
  const ids = ["▁▁▁", "▁", "▁c", "a", "t"].map(id);

  it.each([
    ["all are dropped where one was put there", { prepend_scheme: "always" }, "  cat"],
    ["likewise where only the first piece of a text gets one", { prepend_scheme: "first" }, "  cat"],
    ["none where none was put there", { prepend_scheme: "never" }, "     cat"],
    ["as older files say it", { add_prefix_space: false }, "     cat"],
  ])("%s", async (_, space, text) => {
    const tokenizer = await unigram(space, false);
    expect(tokenizer.decode(ids)).toBe(text);
    for (let cut = 0; cut <= ids.length; cut++) {
      const prompt = ids.slice(0, cut);
      const stream = new StreamDecoder(tokenizer, { prompt });
      const pieces = ids.slice(cut).map((each) => stream.push(each));
      expect([...pieces, stream.flush()].join("")).toBe(text.slice(tokenizer.decode(prompt).length));
    }
  });

  it("a text with a space in front comes back", async () => {
    const tokenizer = await unigram({ prepend_scheme: "never" }, false);
    expect(tokenizer.decode(tokenizer.encode(" the cat"))).toBe(" the cat");
  });
});

describe("what a Unigram vocabulary lacks", () => {
  it("is spelled in bytes where the file says so", async () => {
    const tokenizer = await unigram({ prepend_scheme: "never" }, true);
    expect([...tokenizer.encode("a,é.b")]).toEqual(["a", ",", "<0xC3>", "<0xA9>", ".", "<0x62>"].map(id));
  });

  it("is unknown where it does not", async () => {
    const tokenizer = await unigram({ prepend_scheme: "never" }, false);
    expect([...tokenizer.encode("a,é.b")]).toEqual(["a", ",", "<unk>", ".", "<unk>"].map(id));
  });
});
