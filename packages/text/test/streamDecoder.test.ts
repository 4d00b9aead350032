import { ArgumentError, Rng } from "@statespace/core";
import { beforeAll, describe, expect, test } from "vitest";
import { StreamDecoder } from "../src/index.ts";
import { ByteTokenizer, CharTokenizer, parseTokenizer, type Tokenizer } from "../src/index.ts";
import { byteLevelBpe, SAMPLES, spaceBpe } from "./tokenizerFixtures.ts";

/** The pieces as they come, and what flush adds. */
function stream(
  tokenizer: Tokenizer,
  ids: Iterable<number>,
  options = {},
): { pieces: string[]; text: string; decoder: StreamDecoder } {
  const decoder = new StreamDecoder(tokenizer, options);
  const pieces: string[] = [];
  for (const id of ids) pieces.push(decoder.push(id));
  pieces.push(decoder.flush());
  return { pieces, text: pieces.join(""), decoder };
}

const tokenizers = new Map<string, Tokenizer>([
  ["bytes", new ByteTokenizer({ special: ["<eos>"] })],
  ["characters", CharTokenizer.fromText(SAMPLES.join(""))],
]);
beforeAll(async () => {
  tokenizers.set("byte-level BPE", await parseTokenizer(byteLevelBpe()));
  tokenizers.set("BPE with byte fallback", await parseTokenizer(spaceBpe()));
});

describe.each(["bytes", "characters", "byte-level BPE", "BPE with byte fallback"])("%s", (kind) => {
  test.each(SAMPLES)("%j: the pieces make the text, each of whole characters", (text) => {
    const tokenizer = tokenizers.get(kind) as Tokenizer;
    const ids = tokenizer.encode(text);
    const { pieces, text: streamed } = stream(tokenizer, ids);
    expect(streamed).toBe(tokenizer.decode(ids));
    for (const piece of pieces) {
      expect(piece).not.toMatch(/\p{Surrogate}/u);
      if (!text.includes("\ufffd")) expect(piece).not.toContain("\ufffd");
    }
  });
});

test("every cut of a text of multi-byte characters: nothing but whole characters before it, the rest after", () => {
  const tokenizer = tokenizers.get("bytes") as Tokenizer;
  const text = "aé日😀\ufeff👨‍👩‍👧";
  const bytes = tokenizer.encode(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = new StreamDecoder(tokenizer);
    let before = "";
    for (const id of bytes.subarray(0, cut)) before += decoder.push(id);
    // The longest prefix of whole characters that the first `cut` bytes hold.
    const whole = [...text].reduce(
      (prefix, character) =>
        new TextEncoder().encode(prefix + character).length <= cut && text.startsWith(prefix + character)
          ? prefix + character
          : prefix,
      "",
    );
    expect(before, `cut at ${cut}`).toBe(whole);
    let after = "";
    for (const id of bytes.subarray(cut)) after += decoder.push(id);
    expect(before + after + decoder.flush()).toBe(text);
  }
});

describe("after a prompt, the stream is the text of all tokens less that of the prompt", () => {
  const texts = [" Hello w", "Hello world", "w ll\u00ef 日本 😀 w"];

  test.each(["bytes", "characters", "byte-level BPE", "BPE with byte fallback"])("%s, cut at every token", (kind) => {
    const tokenizer = tokenizers.get(kind) as Tokenizer;
    for (const text of kind === "characters" ? SAMPLES : texts) {
      const ids = tokenizer.encode(text);
      const all = tokenizer.decode(ids);
      for (let cut = 0; cut <= ids.length; cut++) {
        // A character that the prompt only begins is not among its text yet.
        let before = tokenizer.decode(ids.subarray(0, cut));
        while (!all.startsWith(before)) before = before.replace(/\ufffd$/, "");
        const { text: streamed } = stream(tokenizer, ids.subarray(cut), { prompt: ids.subarray(0, cut) });
        expect(streamed, `${text} at ${cut}`).toBe(all.slice(before.length));
      }
    }
  });

  test("a tokenizer that drops a text's first space keeps that of an answer", () => {
    const tokenizer = tokenizers.get("BPE with byte fallback") as Tokenizer;
    const [prompt, answer] = [tokenizer.encode("He"), [266]]; // ▁w
    expect(stream(tokenizer, answer).text).toBe("w");
    expect(stream(tokenizer, answer, { prompt }).text).toBe(" w");
  });
});

test("random ids, broken UTF-8 included: as decoding all at once", () => {
  const rng = new Rng(5);
  for (const kind of ["bytes", "byte-level BPE"]) {
    const tokenizer = tokenizers.get(kind) as Tokenizer;
    for (let round = 0; round < 300; round++) {
      const ids = Array.from({ length: 30 }, () => Math.floor(rng.uniform(0, tokenizer.vocabSize)));
      expect(stream(tokenizer, ids).text).toBe(tokenizer.decode(ids));
    }
  }
});

test("an unfinished character at the end becomes U+FFFD; padding ids and hidden special tokens have no text", () => {
  const tokenizer = tokenizers.get("bytes") as Tokenizer;
  expect(stream(tokenizer, [0x61, 0xf0, 0x9f]).pieces).toEqual(["a", "", "", "\ufffd"]);
  expect(stream(tokenizer, [0x61, 256, 300, 0x62]).text).toBe("ab");
  expect(stream(tokenizer, [0x61, 256], { special: true }).text).toBe("a<eos>");
});

test("a stream of bytes that never make a character still ends, in the window decoder too", () => {
  const tokenizer = tokenizers.get("BPE with byte fallback") as Tokenizer;
  const ids = Array.from({ length: 500 }, () => 0x80 + 1);
  expect(stream(tokenizer, ids).text.length).toBeGreaterThan(0);
});

describe("stop strings", () => {
  const tokenizer = new ByteTokenizer();

  test.each<[text: string, stop: string[], shown: string, found: string | undefined]>([
    ["hello world", ["wor"], "hello ", "wor"],
    ["hello", ["xyz"], "hello", undefined],
    ["ababac!", ["abac"], "ab", "abac"], // a false start that overlaps the true one
    ["aaab", ["aab"], "a", "aab"],
    ["abc", ["abcd"], "abc", undefined], // begun, never finished: flushed
    ["abcd", ["abcd", "bc"], "a", "bc"], // completed first
    ["xab", ["ab", "xab"], "", "xab"], // completed together: the longest
    ["stop日本", ["日"], "stop", "日"],
    ["\n\nUser:", ["\nUser:", "\n\n"], "", "\n\n"],
    ["a", ["a"], "", "a"],
    ["", ["a"], "", undefined],
  ])("%j with %j shows %j, whatever the pieces", (text, stop, shown, found) => {
    const { text: byByte, decoder } = stream(tokenizer, tokenizer.encode(text), { stop });
    expect(byByte).toBe(shown);
    expect(decoder.stopString).toBe(found);
    expect(decoder.stopped).toBe(found !== undefined);
    // One token per piece, for each way to cut the text in two or three.
    const characters = [...text];
    for (let i = 0; i <= characters.length; i++) {
      for (let j = i; j <= characters.length; j++) {
        const parts = [characters.slice(0, i), characters.slice(i, j), characters.slice(j)].map((part) =>
          part.join(""),
        );
        const encoded = parts.map((part) => new TextEncoder().encode(part));
        const pieces = { vocabSize: 3, tokenBytes: (id: number) => encoded[id], decode: () => "" };
        const cut = new StreamDecoder(pieces, { stop });
        expect([0, 1, 2].map((id) => cut.push(id)).join("") + cut.flush(), `${i}, ${j}`).toBe(shown);
      }
    }
  });

  test("nothing is shown that turns out to belong to a stop string, and text is held no longer than it may", () => {
    const { pieces } = stream(tokenizer, tokenizer.encode("a-b--c---d"), { stop: ["---"] });
    expect(pieces).toEqual(["a", "", "-b", "", "", "--c", "", "", "", "", ""]);
  });

  test("random texts: as searching the whole text", () => {
    const rng = new Rng(6);
    for (let round = 0; round < 2000; round++) {
      const draw = (length: number): string =>
        Array.from({ length }, () => "ab"[Math.floor(rng.uniform(0, 2))]).join("");
      const text = draw(20);
      const stop = [draw(3), draw(4)];
      const ends = stop.map((s) => (text.includes(s) ? text.indexOf(s) + s.length : Infinity));
      const end = Math.min(...ends);
      const longest = Math.max(...stop.filter((_, i) => ends[i] === end).map((s) => s.length));
      expect(stream(tokenizer, tokenizer.encode(text), { stop }).text).toBe(
        end === Infinity ? text : text.slice(0, end - longest),
      );
    }
  });

  test("after the stop nothing comes, and empty or broken stop strings are refused", () => {
    const decoder = new StreamDecoder(tokenizer, { stop: ["a"] });
    expect([decoder.push(0x61), decoder.push(0x62), decoder.flush()]).toEqual(["", "", ""]);
    for (const stop of ["", "\ud83d"])
      expect(() => new StreamDecoder(tokenizer, { stop: [stop] })).toThrow(ArgumentError);
  });
});
