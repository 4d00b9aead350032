import type { Rng } from "@statespace/core";
import { makeNplr } from "@statespace/core/hippo";
import type { S4Config } from "./config.ts";

/** The (A, B, P) that one state space model starts with; complex numbers interleaved, one of each conjugate pair. */
export interface S4Start {
  readonly A: ArrayLike<number>; // [n, 2]
  readonly B: ArrayLike<number>; // [n, 2]
  readonly P: ArrayLike<number>; // [rank, n, 2]
}

/** Largest imaginary part of HiPPO's B that the official code keeps, for stability. */
const B_CLIP = 2;

function hippoStart({ init, dState, rank }: Pick<S4Config, "init" | "dState" | "rank">): S4Start {
  const { Lambda, B, P } = makeNplr(init as "legs" | "legt" | "fourier", dState, rank);
  const clipped = B.data.map((x, i) => (i % 2 === 0 ? x : Math.max(-B_CLIP, Math.min(B_CLIP, x))));
  return { A: Lambda.data, B: clipped, P: P.data };
}

/** Re A = -1/2 (Real: -(1, 2, ...)) and the imaginary parts of arXiv 2206.11893, section 4; B = 1. */
function diagonalStart({ init, dState }: Pick<S4Config, "init" | "dState">, rng: Rng): S4Start {
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

/**
 * What an S4 or S4D block starts with, before its transforms: HiPPO's normal plus low-rank form (arXiv 2111.00396, theorem 1), or one of
 * the diagonal starts of arXiv 2206.11893, section 4. Needs no backend. @param rng used by the start "random" only
 */
export function s4Start(config: Pick<S4Config, "mode" | "init" | "dState" | "rank">, rng: Rng): S4Start {
  return config.mode === "dplr" || config.init === "legs" ? hippoStart(config) : diagonalStart(config, rng);
}
