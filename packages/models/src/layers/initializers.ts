import type { Rng } from "@statespace/core";
import { sizeOf } from "@statespace/core/math";

/** Initial values of a parameter. */
export type Initializer = (shape: readonly number[], rng: Rng) => Float32Array;

/** All one value. */
export function constant(value: number): Initializer {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** Normal around 0. */
export function normal(std: number): Initializer {
  return (shape, rng) => Float32Array.from({ length: sizeOf(shape) }, () => rng.normal(0, std));
}

/** Uniform in [-bound, bound). */
export function uniform(bound: number): Initializer {
  return (shape, rng) => Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform(-bound, bound));
}

/** PyTorch's default for a linear or convolution weight: uniform in 1 / sqrt(fan in). */
export function kaimingUniform(fanIn: number): Initializer {
  return uniform(1 / Math.sqrt(fanIn));
}

/** Another initializer's values times a factor (residual projections divided by sqrt(layers), as GPT-2 does). */
export function scaled(init: Initializer, factor: number): Initializer {
  return (shape, rng) => init(shape, rng).map((value) => value * factor);
}

/** S4D-Real: A = -(1, 2, ..., n) in every row, stored as its logarithm. */
export const logOneToN: Initializer = (shape) => {
  const n = shape.at(-1)!;
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.log((i % n) + 1));
};

/** The logarithm of numbers uniform in a range; a range from 0 gives none that is 0. */
export function logOfUniform([low, high]: readonly [number, number]): Initializer {
  return (shape, rng) =>
    Float32Array.from({ length: sizeOf(shape) }, () => Math.log(Math.max(rng.uniform(low, high), 1e-30)));
}

/** Steps drawn log-uniformly from [min, max], not below a floor. */
function logUniformStep(rng: Rng, min: number, max: number, floor: number): number {
  return Math.max(floor, Math.exp(rng.uniform(Math.log(min), Math.log(max))));
}

/** Bias whose softplus is a log-uniform step: the inverse of softplus, x + log(1 - e^-x). Source: arXiv 2312.00752, section 3.6. */
export function inverseSoftplusSteps(min: number, max: number, floor: number): Initializer {
  return (shape, rng) =>
    Float32Array.from({ length: sizeOf(shape) }, () => {
      const step = logUniformStep(rng, min, max, floor);
      return step + Math.log(-Math.expm1(-step));
    });
}
