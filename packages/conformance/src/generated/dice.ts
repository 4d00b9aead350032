import { Rng } from "@statespace/core";
import { ndarray, ndround32, sizeOf, type NdArray } from "@statespace/core/math";
import { Draw } from "../cases/opCase.ts";

/** Extents that find faults: around vectors, tiles and chunks, primes. */
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 257];

/** Everything a generated case is drawn with. */
export class Dice extends Draw {
  readonly #rng: Rng;
  /** What values are multiplied by: most often 1. */
  readonly magnitude: number;

  constructor(seed: number) {
    super(seed);
    this.#rng = new Rng(seed + 0x5eed);
    this.magnitude = this.choice([1, 1, 1, 1, 1e-3, 1e3]);
  }

  flip(probability = 0.5): boolean {
    return this.#rng.uniform() < probability;
  }

  choice<T>(options: readonly T[]): T {
    return options[this.#rng.integer(options.length)]!;
  }

  whole(below: number): number {
    return this.#rng.integer(below);
  }

  /** An extent from 1 to `most`. */
  size(most: number): number {
    return this.choice(SIZES.filter((size) => size <= most));
  }

  /** An extent from 0 to `most`; seldom 0. */
  sizeOrNone(most: number): number {
    return this.flip(0.04) ? 0 : this.size(most);
  }

  /** A shape of up to four axes and about so many elements at most. */
  shape(elements: number, most = 4): number[] {
    let left = elements;
    return Array.from({ length: this.whole(most) + (this.flip(0.9) ? 1 : 0) }, () => {
      const size = this.sizeOrNone(Math.max(1, left));
      left = Math.floor(left / Math.max(1, size));
      return size;
    });
  }

  /** Normal values; in some cases all small, all large, or each of its own magnitude, or many zeros. */
  values(shape: readonly number[]): NdArray {
    const x = this.normal(shape, this.magnitude);
    const kind = this.whole(8);
    if (kind === 0) return this.#mapped(x, (v) => v * 10 ** (6 * this.#rng.uniform() - 3));
    if (kind === 1) return this.#mapped(x, (v) => (this.#rng.uniform() < 0.5 ? 0 : v));
    return x;
  }

  /** Values of which no two are near each other or near 0: functions with kinks are smooth there. */
  apart(shape: readonly number[]): NdArray {
    const size = sizeOf(shape);
    const places = this.#rng.shuffle(
      Float64Array.from({ length: size }, (_, i) => (i - Math.floor(size / 2) + 0.25) / 64),
    );
    return ndround32(ndarray(shape, places));
  }

  #mapped(x: NdArray, f: (value: number) => number): NdArray {
    return ndround32(ndarray(x.shape, x.data.map(f)));
  }
}
