import { Rng, tensor, type DType, type Tensor } from "@statespace/core";
import { type AnyOp, type NdArrays } from "@statespace/core/backend";
import { ndarray, ndround32, sizeOf, type NdArray } from "@statespace/core/math";

/** What a case allows, and why. */
export interface CaseBound {
  /** In units of 2^-24 of the case's scale. */
  readonly forward: number;
  /** Beside that, in units of 2^-24 of 1: for functions that pass through zero. */
  readonly absolute?: number;
  /** Beside that, of the largest value: what float32 cannot hold, since decays end at e^-87 or are 0. */
  readonly underflow?: number;
  /** For a directional derivative, in units of 2^-24 of the sum of its absolute terms. */
  readonly backward: number;
  /** Beside that, in units of 2^-24 of the absolute products of upstream gradient and output: where the gradient is itself a sum whose terms may cancel. */
  readonly cancels?: number;
  /** The op is linear in each of its inputs: its gradients' terms are those of the absolute-value computation, also where outputs vanish. */
  readonly linear?: true;
  /** What the central difference itself is good to, relative to the terms: 1e-8 unless told, its step squared and float64's rounding over the step. */
  readonly differences?: number;
  readonly reason: string;
}

/**
 * One situation of one op, base or fused: what drives its test and its gradient check, here and in the browser.
 * Inputs are drawn from a seed and rounded to float32, so that the reference sees exactly what the backend sees; shapes, dtypes and what
 * is to be compared follow from the op's declaration.
 */
export interface OpCase {
  readonly op: AnyOp;
  readonly name: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  make(draw: Draw): Readonly<Record<string, NdArray>>;
  /** Dtypes of inputs that may be of several; float32 where nothing is said. */
  readonly dtypes?: Readonly<Record<string, DType>>;
  readonly bound: CaseBound;
  /** Inputs whose sign matters to the scale (decay rates, steps); all others enter the scale by absolute value. */
  readonly signed?: readonly string[];
  /**
   * What the bound is measured against: the reference on absolute values, element by element (`terms`, unless told); its largest value
   * (`peak`: norms, losses, whose parts do not add up to them); or each element's own value (`value`: what is rounded once).
   */
  readonly scale?: "terms" | "peak" | "value";
  /** The public face instead of the op, where it takes other arguments; gives y. */
  face?(tensors: Readonly<Record<string, Tensor>>): Tensor;
  /** What the face is in float64, where it does more than the op. */
  meaning?(arrays: NdArrays): NdArray;
  /** Not where there is none (kinks) or float32 cannot hold it (edges). */
  readonly gradients?: false;
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

  /** Sequence ids along the last axis that change with a probability at each step; ids come back, and are another sequence all the same. */
  boundaries([b, l]: readonly [number, number], probability: number): NdArray {
    const data = new Float64Array(b * l);
    for (let row = 0; row < b; row++) {
      for (let t = 1; t < l; t++)
        data[row * l + t] = this.#rng.uniform() < probability ? 1 - data[row * l + t - 1]! : data[row * l + t - 1]!;
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
export function referenceOf(
  { op, attrs, meaning }: Pick<OpCase, "op" | "attrs" | "meaning">,
  inputs: NdArrays,
): NdArrays {
  if (meaning) return { y: meaning(inputs) };
  return op.spec.reference(inputs, { ...op.spec.attrs, ...attrs });
}

/** Runs a case on tensors: outputs by name. */
export function runCase(
  { op, attrs, face }: OpCase,
  tensors: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  return face ? { y: face(tensors) } : op.run(tensors, attrs);
}

/** What a declared argument is, read from its symbolic shape; float32 for one that only the face has. */
export function dtypeOf({ op, dtypes }: Pick<OpCase, "op" | "dtypes">, input: string): DType {
  if (dtypes?.[input] !== undefined) return dtypes[input];
  const text = (op.spec.inputs as Readonly<Record<string, string>>)[input] ?? "";
  return /^(int32|bool) /.test(`${text} `) ? (text.split(" ")[0] as DType) : "float32";
}

/** A case's inputs as tensors on the backend that is set. */
export function upload(c: Pick<OpCase, "op" | "dtypes">, inputs: NdArrays): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => {
      const dtype = dtypeOf(c, name);
      return [name, tensor(dtype === "float32" ? Float32Array.from(data) : Int32Array.from(data), shape, dtype)];
    }),
  );
}
