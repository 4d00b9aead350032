import { ArgumentError } from "../errors.ts";

/**
 * A seeded generator of pseudo-random numbers whose whole state is four 32-bit words,
 * so that a resumed run draws exactly what the uninterrupted one would have drawn.
 * Source: xoshiro128** (Blackman, Vigna 2018), seeded through splitmix32. Not for cryptography.
 */
export class Rng {
  private readonly words: Uint32Array; // [4]

  /** @throws ArgumentError when the seed is not a safe integer. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new ArgumentError(`Rng: seed must be an integer, got ${seed}`);
    const low = splitmix32(seed >>> 0);
    const high = splitmix32((Math.floor(seed / 2 ** 32) ^ 0x6a09e667) >>> 0);
    this.words = Uint32Array.from([low(), high(), low(), high()]);
  }

  /** A generator that goes on from a saved `state()`. @throws ArgumentError when the state is malformed. */
  static fromState(state: readonly number[]): Rng {
    const valid = state.length === 4 && state.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32);
    if (!valid || state.every((word) => word === 0)) {
      throw new ArgumentError(
        `Rng.fromState: state must be 4 unsigned 32-bit words, not all zero, got [${state.join(", ")}]`,
      );
    }
    const rng = new Rng(0);
    rng.words.set(state);
    return rng;
  }

  /** The state, as numbers that survive JSON. */
  state(): number[] {
    return [...this.words];
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const s = this.words;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Uniform in [low, high), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const bits = (this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6);
    return low + (high - low) * (bits * 2 ** -53);
  }

  /** Normally distributed (Box-Muller; the second variate is dropped, so that the state stays four words). */
  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + std * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer in [0, bound), without modulo bias. @throws ArgumentError unless 1 <= bound <= 2^32. */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new ArgumentError(`Rng.integer: bound must be an integer in [1, 2^32], got ${bound}`);
    }
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % bound;
  }

  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = items[i];
      (items as Record<number, unknown>)[i] = items[j];
      (items as Record<number, unknown>)[j] = held;
    }
    return items;
  }

  /** `length` standard normal values. */
  normals(length: number, mean = 0, std = 1): Float64Array {
    return Float64Array.from({ length }, () => this.normal(mean, std));
  }

  /** `length` uniform values in [low, high). */
  uniforms(length: number, low = 0, high = 1): Float64Array {
    return Float64Array.from({ length }, () => this.uniform(low, high));
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function splitmix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}
