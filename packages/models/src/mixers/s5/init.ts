import type { Rng } from "@statespace/core";
import { makeNplr } from "@statespace/core/hippo";
import { complexAt, complexMul, type Complex } from "@statespace/core/math";
import type { Initializer } from "../../layers/initializers.ts";
import type { S5Config } from "./config.ts";

/** A normal variate cut off at two standard deviations, rescaled to standard deviation `std`. */
function truncatedNormal(rng: Rng, std: number): number {
  let x = rng.normal();
  while (Math.abs(x) > 2) x = rng.normal();
  return (std / 0.8796256610342398) * x; // standard deviation of the truncated standard normal
}

/** Eigenvalues and eigenvectors of the normal part of one HiPPO-LegS block: [kept] and [size][kept]. */
interface Block {
  readonly size: number;
  readonly Lambda: readonly Complex[];
  readonly V: readonly (readonly Complex[])[];
}

function hippoBlock({ dState, blocks, conjSym }: S5Config): Block {
  const size = dState / blocks;
  const { Lambda, V } = makeNplr("legs", size);
  const half = Array.from({ length: size / 2 }, (_, j) => complexAt(Lambda.data, j));
  const rows = Array.from({ length: size }, (_, i) => half.map((_, j) => complexAt(V.data, i * half.length + j)));
  if (conjSym) return { size, Lambda: half, V: rows };
  const mirrored = (zs: readonly Complex[]): Complex[] => [...zs, ...zs.map(({ re, im }) => ({ re, im: -im }))];
  return { size, Lambda: mirrored(half), V: rows.map(mirrored) };
}

/** Initial values of an S5 layer's parameters (arXiv 2208.04933, section 4.1 and appendix B.1). */
export class S5Initializers {
  readonly #config: S5Config;
  #block: Block | undefined;

  constructor(config: S5Config) {
    this.#config = config;
  }

  get #hippo(): Block {
    return (this.#block ??= hippoBlock(this.#config));
  }

  /** Lambda of every block, one part. */
  readonly LambdaRe: Initializer = ([p]) => this.#tiled(p!, ({ re }) => re);
  readonly LambdaIm: Initializer = ([p]) => this.#tiled(p!, ({ im }) => im);

  #tiled(p: number, part: (z: Complex) => number): Float32Array {
    const { Lambda } = this.#hippo;
    return Float32Array.from({ length: p }, (_, k) => part(Lambda[k % Lambda.length]!));
  }

  /** V^* B with B real, LeCun normal over the full state: [p, h, 2]. */
  readonly B: Initializer = ([p, h], rng) => {
    const { size, V } = this.#hippo;
    const kept = V[0]!.length;
    const real = Array.from({ length: this.#config.dState }, () =>
      Array.from({ length: h! }, () => truncatedNormal(rng, 1 / Math.sqrt(this.#config.dState))),
    );
    const out = new Float32Array(2 * p! * h!);
    for (let k = 0; k < p!; k++) {
      const from = Math.floor(k / kept) * size;
      for (let c = 0; c < h!; c++) {
        let [re, im] = [0, 0];
        for (let i = 0; i < size; i++) {
          const v = V[i]![k % kept]!;
          re += v.re * real[from + i]![c]!;
          im -= v.im * real[from + i]![c]!;
        }
        out.set([re, im], 2 * (k * h! + c));
      }
    }
    return out;
  };

  /** C V with C complex over the full state, or directly complex normal: [h, p, 2]. */
  readonly C: Initializer = ([h, p], rng) => {
    const { cInit, dState } = this.#config;
    const out = new Float32Array(2 * h! * p!);
    if (cInit === "complexNormal") return out.map(() => rng.normal(0, Math.SQRT1_2));
    const { size, V } = this.#hippo;
    const kept = V[0]!.length;
    const std = 1 / Math.sqrt(cInit === "lecunNormal" ? dState * h! : dState);
    for (let c = 0; c < h!; c++) {
      const row = Array.from({ length: dState }, () => ({
        re: truncatedNormal(rng, std),
        im: truncatedNormal(rng, std),
      }));
      for (let k = 0; k < p!; k++) {
        const from = Math.floor(k / kept) * size;
        let [re, im] = [0, 0];
        for (let i = 0; i < size; i++) {
          const term = complexMul(row[from + i]!, V[i]![k % kept]!);
          re += term.re;
          im += term.im;
        }
        out.set([re, im], 2 * (c * p! + k));
      }
    }
    return out;
  };

  /** Steps log-uniform in [deltaMin, deltaMax]. */
  readonly logStep: Initializer = (shape, rng) => {
    const { deltaMin, deltaMax } = this.#config;
    return Float32Array.from({ length: shape[0]! }, () => rng.uniform(Math.log(deltaMin), Math.log(deltaMax)));
  };
}
