import { isNode, nodeFiles } from "./nodeFiles.ts";

/** A checksum in the making. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** 64 lower-case hex digits. */
  hex(): string;
}

/** SHA-256 of bytes that come in pieces, which WebCrypto does not offer: Node's own in Node, else this file's loops. */
export function sha256(): Sha256 {
  if (!isNode()) return new PlainSha256();
  const hash = nodeFiles().crypto.createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

/** SHA-256 as 64 lower-case hex digits. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const BLOCK = 64;

/** Source: FIPS 180-4, section 6.2. */
export class PlainSha256 implements Sha256 {
  readonly #state = fractions(primes(8), (prime) => prime ** (1 / 2));
  readonly #block = new Uint8Array(BLOCK);
  readonly #words = new Uint32Array(64);
  #filled = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength;) {
      const part = bytes.subarray(at, at + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === BLOCK) this.#compress();
    }
  }

  hex(): string {
    const length = this.#length;
    const padding = new Uint8Array(((119 - (length % BLOCK)) % BLOCK) + 9);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(length) * 8n, false);
    this.update(padding);
    return Array.from(this.#state, (word) => word.toString(16).padStart(8, "0")).join("");
  }

  #compress(): void {
    const words = this.#words;
    const view = new DataView(this.#block.buffer);
    for (let t = 0; t < 16; t++) words[t] = view.getUint32(4 * t, false);
    for (let t = 16; t < 64; t++) {
      const [x, y] = [words[t - 15], words[t - 2]];
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      words[t] = words[t - 16] + s0 + words[t - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = this.#state;
    for (let t = 0; t < 64; t++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + CONSTANTS[t] + words[t]) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) this.#state[i] += value;
    this.#filled = 0;
  }
}

const CONSTANTS = fractions(primes(64), Math.cbrt);

function rotate(x: number, count: number): number {
  return (x >>> count) | (x << (32 - count));
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}

/** First 32 bits of the fractional parts. */
function fractions(numbers: readonly number[], root: (x: number) => number): Uint32Array {
  return Uint32Array.from(numbers, (x) => (root(x) % 1) * 2 ** 32);
}
