import { describe, expect, it } from "vitest";
import { UNKNOWN, vocabularyOf } from "../../src/pages/model/compute/vocabulary.ts";
import { decodeText, FEWEST, MOST, textFault } from "../../src/pages/model/text.ts";
import { CHINESE } from "../../src/pages/model/texts/chinese.ts";
import { tellStories } from "../../src/pages/model/texts/draw.ts";
import { ENGLISH } from "../../src/pages/model/texts/english.ts";

describe("a text of the visitor's", () => {
  it.each([
    ["", "empty"],
    [" \n\t ", "empty"],
    ["a".repeat(FEWEST - 1), "short"],
    ["a".repeat(FEWEST), undefined],
    ["a".repeat(MOST), undefined],
    ["a".repeat(MOST + 1), "huge"],
  ])("number %# is %s", (text, fault) => expect(textFault(text)).toBe(fault));

  it("is read from a file in the encodings that text files have, with one kind of line break", () => {
    const text = "床前明月光，\nsea";
    const utf16 = (order: "le" | "be"): Uint8Array => {
      const bytes = new Uint8Array(2 + 2 * text.length);
      const view = new DataView(bytes.buffer);
      [0xfeff, ...Array.from(text, (c) => c.charCodeAt(0))].forEach((c, i) => view.setUint16(2 * i, c, order === "le"));
      return bytes;
    };
    expect(decodeText(new TextEncoder().encode("床前明月光，\r\nsea"))).toBe(text);
    expect(decodeText(utf16("le"))).toBe(text);
    expect(decodeText(utf16("be"))).toBe(text);
    // 明月 in GB 18030
    expect(decodeText(Uint8Array.of(0xc3, 0xf7, 0xd4, 0xc2))).toBe("明月");
    expect(decodeText(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0))).toBeUndefined();
    expect(decodeText(Uint8Array.of(0xff, 0xff, 0xff))).toBeUndefined();
  });

  it("has a token for each of its characters, and one for all others", () => {
    const text = "床前明月光，疑是地上霜。😀";
    const tokenizer = vocabularyOf(text);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.vocabSize).toBe(new Set(text).size + 2); // the unknown one, and the end
    expect(tokenizer.decode(tokenizer.encode("明日"))).toBe(`明${UNKNOWN}`);
  });

  it("of very many characters keeps the frequent ones", () => {
    const rare = Array.from({ length: 4000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
    const tokenizer = vocabularyOf(`${rare}${"海".repeat(3)}${rare.slice(-10)}`);
    expect(tokenizer.vocabSize).toBe(3002);
    expect(tokenizer.decode(tokenizer.encode(`海${rare.slice(-10)}`))).toBe(`海${rare.slice(-10)}`);
    expect(tokenizer.decode(tokenizer.encode(rare.slice(3500, 3501)))).toBe(UNKNOWN);
  });
});

describe("examples", () => {
  it.each([
    ["en", ENGLISH],
    ["zh", CHINESE],
  ] as const)("in %s are as long as asked, and the same each time", (_, stories) => {
    const text = tellStories(stories, 20_000, 1);
    expect(text).toBe(tellStories(stories, 20_000, 1));
    expect(text).not.toBe(tellStories(stories, 20_000, 2));
    expect(text.length).toBeGreaterThanOrEqual(20_000);
    expect(text.length).toBeLessThan(20_500);
    expect(text).not.toMatch(/undefined|object/);
  });

  it("count right, in both languages", () => {
    const han = ["", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十"];
    const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    const chinese = [...tellStories(CHINESE, 40_000, 3).matchAll(/有(.)[只条].，.走了(.)[只条]，还有(.)[只条]/g)];
    const english = [
      ...tellStories(ENGLISH, 40_000, 3).matchAll(/are (\w+) in the tree, (\w+) fly away, and (\w+) stay/g),
    ];
    for (const [found, names] of [
      [chinese, han],
      [english, words],
    ] as const) {
      expect(found.length).toBeGreaterThan(20);
      for (const [, all, gone, left] of found)
        expect(names.indexOf(all!) - names.indexOf(gone!)).toBe(names.indexOf(left!));
    }
  });
});
