import { ndarray, ndround32, Rng, sizeOf, type AnyOp, type NdArray, type NdArrays } from "@statespace/core";

/** What a case allows, in units of 2^-24 of its scale, and why. */
export interface CaseBound {
  readonly forward: number;
  /** For a directional derivative, against the sum of its absolute terms. */
  readonly backward: number;
  readonly reason: string;
}

/**
 * One situation of one op: what drives its test and its gradient check, here and in the browser.
 * Inputs are drawn from a seed and rounded to float32, so that the reference sees exactly what the backend sees.
 */
export interface OpCase {
  readonly op: AnyOp;
  readonly name: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  make(draw: Draw): Readonly<Record<string, NdArray>>;
  readonly bound: CaseBound;
  /** Inputs whose sign matters to the scale (decay rates, steps); all others enter the scale by absolute value. */
  readonly signed?: readonly string[];
  /** The scale is the largest reference value instead (norms, losses: their parts do not add up to them). */
  readonly peakScale?: boolean;
  /** Inputs that are int32. */
  readonly integers?: readonly string[];
}

/** Seeded float32 arrays. */
export class Draw {
  readonly #rng: Rng;

  constructor(seed: number) {
    this.#rng = new Rng(seed);
  }

  normal(shape: readonly number[], std = 1, mean = 0): NdArray {
    return this.#fill(shape, () => this.#rng.normal(mean, std));
  }

  uniform(shape: readonly number[], low: number, high: number): NdArray {
    return this.#fill(shape, () => this.#rng.uniform(low, high));
  }

  integers(shape: readonly number[], bound: number): NdArray {
    return this.#fill(shape, () => this.#rng.integer(bound));
  }

  /** Sequence numbers along the last axis that rise by one with a probability at each step. */
  boundaries([b, l]: readonly [number, number], probability: number): NdArray {
    const data = new Float64Array(b * l);
    for (let row = 0; row < b; row++) {
      for (let t = 1; t < l; t++)
        data[row * l + t] = data[row * l + t - 1]! + (this.#rng.uniform() < probability ? 1 : 0);
    }
    return ndarray([b, l], data);
  }

  #fill(shape: readonly number[], value: () => number): NdArray {
    return ndround32(ndarray(shape, Float64Array.from({ length: sizeOf(shape) }, value)));
  }
}

/** An array of given values. */
export function values(shape: readonly number[], data: readonly number[]): NdArray {
  return ndround32(ndarray(shape, Float64Array.from(data)));
}

/** The reference of a case on its inputs. */
export function referenceOf({ op, attrs }: OpCase, inputs: NdArrays): NdArrays {
  return op.spec.reference(inputs, { ...op.spec.attrs, ...attrs });
}
