import { Rng } from "@statespace/core";
import type { Tokenizer } from "@statespace/text";

const SYLLABLES = "ba con de er fi gra hou in ja ke lo me nu or pre qui ra sti tu un ver wo xi yo za th st".split(" ");
const SIGNS = ['"', '":', '", "', "{", "}", '": "', "[", "]", ", ", "\n", "\n\n", "...", " = ", "\\", '\\"', "//"];

/** So many byte strings as a byte-level BPE of natural text has: the bytes, signs, numbers, and words with and without a space in front. */
function words(count: number): Uint8Array[] {
  const encoder = new TextEncoder();
  const rng = new Rng(1);
  const own: Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  for (const sign of SIGNS) own.push(encoder.encode(sign));
  for (let number = 10; number < 1000; number++) own.push(encoder.encode(String(number)));
  while (own.length < count) {
    const word = Array.from({ length: 1 + rng.integer(3) }, () => SYLLABLES[rng.integer(SYLLABLES.length)]!).join("");
    const first = rng.uniform() < 0.3 ? word[0]!.toUpperCase() + word.slice(1) : word;
    own.push(encoder.encode((rng.uniform() < 0.6 ? " " : "") + first + (rng.uniform() < 0.02 ? "é" : "")));
  }
  return own;
}

/** A tokenizer of as many tokens as a published one has, for what depends on the vocabulary's size; texts are encoded byte by byte. */
export function wordTokenizer(vocabSize: number): Tokenizer {
  const bytes = words(vocabSize);
  const join = (ids: ArrayLike<number>): Uint8Array =>
    Uint8Array.from(Array.from(ids).flatMap((id) => [...bytes[id]!]));
  return {
    vocabSize,
    encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
    decode: (ids) => new TextDecoder().decode(join(ids)),
    tokenBytes: (id) => bytes[id]!,
    toJson: () => JSON.stringify({ words: vocabSize }),
  };
}
