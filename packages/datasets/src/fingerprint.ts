import type { Numbers } from "./batch.ts";

/**
 * Tells data apart: 64 bits of hexadecimal digits over every element's bits, in order. Two of FNV-1a's multipliers over 32-bit words;
 * no defence against somebody who means harm.
 */
export function fingerprint(...parts: readonly Numbers[]): string {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const part of parts) {
    const words = new Uint32Array(part.buffer, part.byteOffset, part.length);
    for (let i = 0; i < words.length; i++) {
      a = Math.imul(a ^ words[i], 0x01000193);
      b = Math.imul(b ^ (words[i] + i), 0x85ebca6b);
      b ^= b >>> 13;
    }
    a = Math.imul(a ^ part.length, 0x01000193);
  }
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
