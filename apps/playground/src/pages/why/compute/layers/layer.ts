import { type Rng, tensor, type Tensor } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";

/** Channels of each layer. */
export const WIDTH = 64;

/** What a layer must keep of the tokens so far, to write the next one. */
export type Memory = Readonly<Record<string, Tensor>>;

/**
 * One layer, made of the library's ops alone: what measures four of them need not fetch all models there are. Each computes what the
 * library's mixer of that kind computes from the same weights.
 */
export interface Layer {
  /** In the order of the mixer's parameters. */
  readonly weights: readonly Tensor[];
  /** What it keeps does not grow with the tokens. */
  readonly fixedMemory: boolean;
  /** @param x [1, l, WIDTH] */
  forward(x: Tensor): Tensor; // [1, l, WIDTH]
  /** What it keeps of these tokens. @param x [1, l, WIDTH] */
  remember(x: Tensor): Memory;
  /** One more token; a memory of fixed size is brought up to date in place. @param x [1, WIDTH] */
  next(x: Tensor, memory: Memory): Tensor; // [1, WIDTH]
  /** Frees what was derived from the weights. */
  release?(): void;
}

/** Draws a weight; `of` makes one value of the generator. */
export type Draw = (shape: readonly number[], of: (rng: Rng, i: number) => number) => Tensor;

export function drawFrom(rng: Rng, backend: AnyBackend | undefined): Draw {
  return (shape, of) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return tensor(
      Float32Array.from({ length: size }, (_, i) => of(rng, i)),
      shape,
      { backend },
    );
  };
}

/** Uniform in 1 / sqrt(inputs), as a projection starts. */
export function fromInputs(inputs: number): (rng: Rng) => number {
  return (rng) => rng.uniform(-1, 1) / Math.sqrt(inputs);
}

export const zero = (): number => 0;

/** A step of time, drawn log-uniformly: its logarithm. */
export const logStep = (rng: Rng): number => rng.uniform(Math.log(0.001), Math.log(0.1));
