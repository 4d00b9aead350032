/**
 * A hash of words, as 16 hexadecimal digits. It tells contents apart that differ by chance or by damage; it is no defence against
 * somebody who looks for two that agree.
 */
export function hashWords(words: Int32Array | Uint32Array, seed = 0): string {
  let [low, high] = [0x811c9dc5 ^ seed, 0x9e3779b9 ^ seed];
  for (let i = 0; i < words.length; i++) {
    low = Math.imul(low ^ words[i]!, 0x01000193);
    high = Math.imul(high ^ words[i]! ^ (low >>> 15), 0x85ebca6b);
    high ^= high >>> 13;
  }
  low = Math.imul(low ^ (high >>> 16) ^ words.length, 0xc2b2ae35);
  return [low ^ (low >>> 16), high ^ (high >>> 16)].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The same of a text. */
export function hashText(text: string): string {
  return hashBytes(new TextEncoder().encode(text));
}

/** The same of bytes. */
export function hashBytes(bytes: Uint8Array): string {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return hashWords(words, bytes.length);
}

/** The same of the bits of values. */
export function hashFloats(values: Float32Array): string {
  return hashWords(new Int32Array(values.buffer, values.byteOffset, values.length));
}
