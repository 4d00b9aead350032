/**
 * The pieces of text within which byte-level BPE merges: contractions, words, numbers, other signs, each with one
 * leading space, and white space. Same pieces as Hugging Face's ByteLevel pre-tokenizer with `use_regex`.
 * Source: GPT-2 (Radford et al. 2019), encoder pattern.
 */
export const piecePattern: RegExp = /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The printable character that stands for each byte in tokenizer.json, by byte. */
export const byteCharacters: readonly string[] = makeByteCharacters();

/** Printable Latin-1 stands for itself; the 68 bytes that do not print take the code points from 256 on, in order. */
function makeByteCharacters(): string[] {
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCodePoint(prints ? byte : spare++);
  });
}
