/** Texts of a stand-in vocabulary: the bytes in the alphabet of GPT-2's, in a small one the new line and the letters first, then t256, t257, ... */
export function vocabulary(size: number): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const alphabet = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const order = size >= 256 ? bytes : [10, ...bytes.map((byte) => (byte + 32) % 256).filter((byte) => byte !== 10)];
  return Array.from({ length: size }, (_, id) => (id < 256 ? alphabet[order[id]!]! : `t${id}`));
}

/** The files of a tokenizer for a model that has none: llama.cpp's bindings load no file without. */
export function standInTokenizer(size: number): Record<string, string> {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const vocab = Object.fromEntries(vocabulary(size).map((token, id) => [token, id]));
  const model = { type: "BPE", vocab, merges: [] };
  const json = { normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel, model };
  return { "tokenizer.json": JSON.stringify(json) };
}
