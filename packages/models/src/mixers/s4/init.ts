import type { Rng } from "@statespace/core";
import { makeNplr } from "@statespace/core/hippo";
import type { Initializer } from "../../layers/initializers.ts";
import type { S4Config } from "./config.ts";
import { storePositive } from "./transforms.ts";

/** The (A, B, P) that one state space model starts with; complex numbers interleaved. */
interface Start {
  readonly A: ArrayLike<number>; // [n, 2]
  readonly B: ArrayLike<number>; // [n, 2]
  readonly P: ArrayLike<number>; // [rank, n, 2]
}

/** Largest imaginary part of HiPPO's B that the official code keeps, for stability. */
const B_CLIP = 2;

function hippoStart({ init, dState, rank }: S4Config): Start {
  const { Lambda, B, P } = makeNplr(init as "legs" | "legt" | "fourier", dState, rank);
  const clipped = B.data.map((x, i) => (i % 2 === 0 ? x : Math.max(-B_CLIP, Math.min(B_CLIP, x))));
  return { A: Lambda.data, B: clipped, P: P.data };
}

/** Re A = -1/2 (Real: -(1, 2, ...)) and the imaginary parts of arXiv 2206.11893, section 4; B = 1. */
function diagonalStart({ init, dState }: S4Config, rng: Rng): Start {
  const n = dState / 2;
  const imaginary = (k: number): number => {
    if (init === "lin") return Math.PI * k;
    if (init === "inv") return (dState / Math.PI) * (dState / (1 + 2 * k) - 1);
    return init === "real" ? 0 : Math.exp(rng.normal());
  };
  const real = (k: number): number => (init === "real" ? -(1 + k) : -0.5);
  return {
    A: Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? real(i >> 1) : -imaginary(i >> 1))),
    B: Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 : 0)),
    P: [],
  };
}

/** Initial values of an S4 block's parameters. */
export class S4Initializers {
  readonly #config: S4Config;
  #start: Start | undefined;

  constructor(config: S4Config) {
    this.#config = config;
  }

  #values(rng: Rng): Start {
    const hippo = this.#config.mode === "dplr" || this.#config.init === "legs";
    return (this.#start ??= hippo ? hippoStart(this.#config) : diagonalStart(this.#config, rng));
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
