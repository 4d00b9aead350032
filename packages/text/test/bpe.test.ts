import { readFileSync } from "node:fs";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { AbortedError, ArgumentError, FormatError, Rng } from "@statespace/core";
import { describe, expect, test, vi } from "vitest";
import { BpeTokenizer, ByteTokenizer, CharTokenizer, parseTokenizer, StreamDecoder, trainBpe } from "../src/index.ts";
import { mergePiece } from "../src/bpe/mergePiece.ts";
import { readBpe } from "../src/bpe/readBpe.ts";

const fixture = new URL("../../datasets/fixtures/moby-dick-opening.txt", import.meta.url);
const text = readFileSync(fixture, "utf8");
const [train, unseen] = [text.slice(0, 50_000), text.slice(50_000)];
const tokenizer = trainBpe(train, { vocabSize: 800 });
const strange = [
  "",
  " ",
  "  two  spaces\t\n\n x ",
  "don't we'll I'VE",
  "naïve café 日本語 😀👩‍👩‍👧 \u0000\u0001 ﬁ",
  "1234 5.6e-7 !!?…",
  "a<|endoftext|>b",
  "\ufeffbom",
  "x\r\ny",
];

describe("bytes and characters", () => {
  test("bytes hold every text", () => {
    const tokenizer = new ByteTokenizer();
    for (const sample of [unseen, ...strange]) expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
    expect([...tokenizer.encode("é")]).toEqual([0xc3, 0xa9]);
    expect(tokenizer.decode([256])).toBe("");
    expect(() => tokenizer.decode([-1])).toThrow(ArgumentError);
  });

  test("characters: whole code points, saved as a list, unknown ones named", () => {
    const tokenizer = CharTokenizer.fromText("b😀ab");
    expect(tokenizer.characters).toEqual(["a", "b", "😀"]);
    expect([...tokenizer.encode("😀ab")]).toEqual([2, 0, 1]);
    const again = new CharTokenizer(JSON.parse(JSON.stringify(tokenizer.characters)) as string[]);
    expect(again.decode(again.encode("ab😀"))).toBe("ab😀");
    expect(() => tokenizer.encode("abc")).toThrow(/"c" is not in the vocabulary \(character 2/);
    expect(() => tokenizer.decode([-3])).toThrow(ArgumentError);
    expect(() => CharTokenizer.fromText("")).toThrow(ArgumentError);
    for (const bad of [["a", "a"], ["ab"], [""], [3 as unknown as string]])
      expect(() => new CharTokenizer(bad)).toThrow(ArgumentError);
  });
});

/** Algorithm 1 of Sennrich et al. by the book: all counts anew at every merge. */
function trainByTheBook(sample: string, merges: number): [number, number][] {
  const counts = new Map<string, number>();
  for (const [piece] of sample.matchAll(/'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu))
    counts.set(piece, (counts.get(piece) ?? 0) + 1);
  let words = [...counts].map(([piece, count]) => ({ ids: [...new TextEncoder().encode(piece)], count }));
  return Array.from({ length: merges }, (_, rank): [number, number] => {
    const pairs = new Map<string, number>();
    for (const { ids, count } of words)
      for (let i = 0; i + 1 < ids.length; i++)
        pairs.set(`${ids[i]},${ids[i + 1]}`, (pairs.get(`${ids[i]},${ids[i + 1]}`) ?? 0) + count);
    const [best] = [...pairs].sort(
      ([p, m], [q, n]) =>
        n - m || Number(p.split(",")[0]) - Number(q.split(",")[0]) || Number(p.split(",")[1]) - Number(q.split(",")[1]),
    );
    const [left, right] = best[0].split(",").map(Number);
    words = words.map(({ ids, count }) => {
      const joined: number[] = [];
      for (let i = 0; i < ids.length; i++)
        joined.push(ids[i] === left && ids[i + 1] === right ? (i++, 256 + rank) : ids[i]);
      return { ids: joined, count };
    });
    return [left, right];
  });
}

describe("BPE", () => {
  test("the trainer learns the same merges as the algorithm by the book", () => {
    const sample = `${train.slice(0, 6000)} aaaa aaaaa aaa ababab`;
    const { merges } = trainBpe(sample, { vocabSize: 256 + 250, specialTokens: [] });
    expect(merges).toEqual(trainByTheBook(sample, 250));
  });

  test("round trip: unseen text, strange text, all 256 bytes", () => {
    for (const sample of [unseen, ...strange])
      expect(tokenizer.decode(tokenizer.encode(sample), { special: true })).toBe(sample);
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(Array.from(bytes, (byte) => [...tokenizer.tokenBytes(1 + byte)])).toEqual(
      Array.from(bytes, (byte) => [byte]),
    );
    const latin = String.fromCodePoint(...bytes);
    expect(tokenizer.decode(tokenizer.encode(latin))).toBe(latin);
    // Text of English in English's own tokens must come out well below one token a byte.
    expect(tokenizer.encode(unseen).length).toBeLessThan(0.5 * unseen.length);
  });

  test("any text of any code points survives", () => {
    const rng = new Rng(2);
    for (let round = 0; round < 300; round++) {
      const points = Array.from({ length: rng.integer(30) }, () => {
        const point = rng.integer(rng.integer(2) ? 0x250 : 0x110000);
        return point >= 0xd800 && point < 0xe000 ? 0x20 : point;
      });
      const sample = String.fromCodePoint(...points);
      expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
    }
  });

  test("Hugging Face's tokenizer loads the file and gives the same ids", () => {
    const file = JSON.parse(tokenizer.toJson());
    const theirs = new HuggingFaceTokenizer(file, {});
    for (const sample of [unseen, ...strange.slice(1)]) {
      const ids = [...tokenizer.encode(sample)];
      expect([...theirs.encode(sample).ids], JSON.stringify(sample.slice(0, 40))).toEqual(ids);
    }
    const ids = [...tokenizer.encode(unseen)];
    expect(theirs.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false })).toBe(unseen);
    expect(theirs.token_to_id("<|endoftext|>")).toBe(0);
  });

  test("long pieces: a text without spaces gives Hugging Face's ids, a genome is learnt and read with work that grows with it", () => {
    const theirs = new HuggingFaceTokenizer(JSON.parse(tokenizer.toJson()), {});
    const solid = unseen.replaceAll(/[^a-z]/g, "");
    for (const length of [95, 96, 97, 98, 2000])
      expect([...theirs.encode(solid.slice(0, length)).ids]).toEqual([...tokenizer.encode(solid.slice(0, length))]);
    const rng = new Rng(1);
    const genome = Array.from({ length: 300_000 }, () => "ACGT"[rng.integer(4)]).join("");
    const learnt = trainBpe(genome, { vocabSize: 1024 });
    expect(learnt.decode(learnt.encode(genome))).toBe(genome);
    expect(learnt.vocabSize).toBe(1024);
    // Pairs looked up: a scan of the whole text at each merge looks at length^2 / 2 of them.
    const ranks = new Map(learnt.merges.map(([left, right], rank) => [left * 2 ** 26 + right, rank]));
    const lookups = (length: number): number => {
      let count = 0;
      const bytes = Array.from(genome.slice(0, length), (letter) => 1 + letter.charCodeAt(0));
      mergePiece(bytes, {
        rank: (left, right) => (count++, ranks.get(left * 2 ** 26 + right)),
        made: (rank) => 257 + rank,
      });
      return count;
    };
    const [short, long] = [lookups(3000), lookups(300_000)];
    expect(long / short).toBeLessThan(110);
    expect(long).toBeLessThan(8 * 300_000);
  });

  test("the file reads back to the same tokenizer; the list form of merges is read too", () => {
    const json = tokenizer.toJson();
    const back = readBpe(json);
    expect(back.merges).toEqual(tokenizer.merges);
    expect(back.encode(unseen)).toEqual(tokenizer.encode(unseen));
    const file = JSON.parse(json);
    file.model.merges = file.model.merges.map((merge: string) => merge.split(" "));
    expect(readBpe(JSON.stringify(file)).merges).toEqual(tokenizer.merges);
  });

  test("loads back as the same tokenizer, and where the config ends texts otherwise, through the library", async () => {
    const back = await parseTokenizer(tokenizer.toJson(), JSON.stringify({ eos_token: "<|endoftext|>" }));
    expect(back).toBeInstanceOf(BpeTokenizer);
    expect(back).toMatchObject({ vocabSize: tokenizer.vocabSize, eosId: 0 });
    expect(back.encode(unseen)).toEqual(tokenizer.encode(unseen));
    expect(back.toJson()).toBe(tokenizer.toJson());
    const other = await parseTokenizer(tokenizer.toJson(), JSON.stringify({ bos_token: "<|endoftext|>" }));
    expect(other).not.toBeInstanceOf(BpeTokenizer);
    expect(other).toMatchObject({ vocabSize: tokenizer.vocabSize, bosId: 0 });
    expect(other.encode(unseen.slice(0, 5000))).toEqual(tokenizer.encode(unseen.slice(0, 5000)));
  });

  test("special tokens are left out of the text unless asked for; a stream shows whole characters", () => {
    const ids = tokenizer.encode("naïve<|endoftext|>日本");
    expect(tokenizer.decode(ids)).toBe("naïve日本");
    const decoder = new StreamDecoder(tokenizer, { special: true });
    const pieces = Array.from(ids, (id) => decoder.push(id));
    expect(pieces.join("") + decoder.flush()).toBe("naïve<|endoftext|>日本");
    for (const piece of pieces) expect(piece).not.toContain("\ufffd");
  });

  test("damaged files are refused by name, never read wrongly", () => {
    const small = trainBpe(train.slice(0, 3000), { vocabSize: 270 });
    const json = small.toJson();
    const rng = new Rng(5);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const at = rng.integer(json.length);
      const damaged =
        round % 2
          ? json.slice(0, at)
          : json.slice(0, at) + String.fromCharCode(32 + rng.integer(95)) + json.slice(at + 1);
      try {
        expect(readBpe(damaged).merges.length).toBe(small.merges.length);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
    for (const bad of ["null", "[]", "{}", '{"model":{"type":"WordPiece"}}', json.replace('"BPE"', '"Unigram"')])
      expect(() => readBpe(bad)).toThrow(FormatError);
    const swapped = JSON.parse(json);
    swapped.model.merges.reverse();
    expect(() => readBpe(JSON.stringify(swapped))).toThrow(FormatError);
  });

  test("training: order of texts does not matter, rare pairs are left, special tokens come first, abort and bad settings", () => {
    expect(trainBpe([train, unseen], { vocabSize: 400 }).merges).toEqual(
      trainBpe([unseen, train], { vocabSize: 400 }).merges,
    );
    expect(trainBpe("abab cd", { vocabSize: 1000 }).vocabSize).toBe(258);
    const special = trainBpe(train, { vocabSize: 300, specialTokens: ["<s>", "<s>s", "[x]"] });
    expect([...special.encode("<s>s<s>[x]")]).toEqual([1, 0, 2]);
    const steps: number[] = [];
    trainBpe(train, { vocabSize: 262, onProgress: (merges) => steps.push(merges) });
    expect(steps).toEqual([1, 2, 3, 4, 5]);
    expect(() => trainBpe(train, { vocabSize: 300, signal: AbortSignal.abort() })).toThrow(AbortedError);
    expect(() => trainBpe(train, { vocabSize: 256 })).toThrow(ArgumentError);
    expect(() => trainBpe(train, { vocabSize: 300, specialTokens: ["a", "a"] })).toThrow(ArgumentError);
    expect(() => new BpeTokenizer([[0, 256]], [])).toThrow(/no token yet/);
    expect(
      () =>
        new BpeTokenizer(
          [
            [0, 1],
            [0, 1],
          ],
          [],
        ),
    ).toThrow(/twice/);
    expect(() => tokenizer.decode([0.5])).toThrow(ArgumentError);
    expect(tokenizer.decode([tokenizer.vocabSize])).toBe("");
  });

  test("training grows with the text, not with text times merges", () => {
    const rng = new Rng(3);
    const words = text.split(" ");
    const long = Array.from({ length: 20_000 }, () => `${words[rng.integer(words.length)]}${rng.integer(50)}`).join(
      " ",
    );
    const distinct = new Set(long.split(" ")).size;
    // Each count of a pair that changes is one of a map's entries set; recounting them at every merge sets all of them each time.
    const set = vi.spyOn(Map.prototype, "set");
    try {
      expect(trainBpe(long, { vocabSize: 4353 }).vocabSize).toBe(4353);
      const recounting = 4096 * distinct;
      expect(set.mock.calls.length).toBeLessThan(recounting / 20);
      expect(set.mock.calls.length).toBeGreaterThan(distinct);
    } finally {
      set.mockRestore();
    }
  });
});
