import type { Rng } from "@statespace/core";
import type { Initializer } from "../../layers/initializers.ts";
import type { S4Config } from "./config.ts";
import { s4Start, type S4Start } from "./start.ts";
import { storePositive } from "./transforms.ts";

/** Initial values of an S4 block's parameters. */
export class S4Initializers {
  readonly #config: S4Config;
  #start: S4Start | undefined;

  constructor(config: S4Config) {
    this.#config = config;
  }

  #values(rng: Rng): S4Start {
    return (this.#start ??= s4Start(this.#config, rng));
  }

  readonly ARe: Initializer = ([s, n], rng) => {
    const { A } = this.#values(rng);
    return Float32Array.from({ length: s! * n! }, (_, i) =>
      storePositive(this.#config.realTransform, -A[2 * (i % n!)]!),
    );
  };

  readonly AIm: Initializer = ([s, n], rng) => {
    const { A } = this.#values(rng);
    const { imagTransform } = this.#config;
    return Float32Array.from({ length: s! * n! }, (_, i) => {
      const value = -A[2 * (i % n!) + 1]!;
      return imagTransform === "none" ? value : storePositive(imagTransform, value);
    });
  };

  readonly B: Initializer = ([, s, n], rng) => {
    const { B } = this.#values(rng);
    return Float32Array.from({ length: 2 * s! * n! }, (_, i) => B[i % (2 * n!)]!);
  };

  readonly P: Initializer = ([rank, s, n], rng) => {
    const { P } = this.#values(rng);
    return Float32Array.from(
      { length: 2 * rank! * s! * n! },
      (_, i) => P[Math.floor(i / (2 * n! * s!)) * 2 * n! + (i % (2 * n!))]!,
    );
  };

  /** Complex normal of unit variance. */
  readonly C: Initializer = (shape: readonly number[], rng: Rng) =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal(0, Math.SQRT1_2));

  /** Steps log-uniform in [deltaMin, deltaMax]. */
  readonly delta: Initializer = (shape, rng) => {
    const { deltaMin, deltaMax, deltaTransform } = this.#config;
    return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      storePositive(deltaTransform, Math.exp(rng.uniform(Math.log(deltaMin), Math.log(deltaMax)))),
    );
  };
}
