import { concat, keep, split, tensor, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { makeTurn, rotate, turnsFrom, type Turn } from "../../layers/rotate.ts";
import type { AttentionMixerConfig } from "./config.ts";
import { rotaryFrequencies } from "./scaling.ts";

type Rotary = Pick<
  AttentionMixerConfig,
  "rotaryDim" | "rotaryBase" | "rotaryScaling" | "rotaryInterleaved" | "headDim" | "window"
>;

/** Turns the heads of one layer by their positions, and keeps what steps need again and again. */
export class RotaryPositions {
  readonly #config: Rotary;
  readonly #backend: () => AnyBackend;
  /** Of every position a reserved state has room for; made at the first step on such a state. */
  #table: Tensor | undefined; // [m, rotaryDim]
  /** Of a window and one token, which every step on a state of a window takes. */
  #stepTurn: Turn | undefined;

  constructor(config: Rotary, backend: () => AnyBackend) {
    this.#config = config;
    this.#backend = backend;
  }

  /** Heads [b, l, .., p] rotated by positions that count from `from`. */
  turned(x: Tensor, from: number): Tensor {
    const { headDim: p, rotaryDim } = this.#config;
    if (rotaryDim === 0) return x;
    const turn = this.#turn(from, x.shape[1]!);
    if (rotaryDim === p) return rotate(x, turn);
    const [first, rest] = split(x, [rotaryDim, p - rotaryDim]) as [Tensor, Tensor];
    return concat([rotate(first, turn), rest], -1);
  }

  /** What `causalAttentionStep` takes for m positions; none where there are no positions. */
  table(m: number): Tensor | undefined {
    if (this.#config.rotaryDim === 0) return undefined;
    const backend = this.#backend();
    if (this.#table?.shape[0] !== m || this.#table.backend !== backend) {
      this.dispose();
      this.#table = keep(rotaryTable(m, this.#config, backend));
    }
    return this.#table;
  }

  #turn(from: number, l: number): Turn {
    const { window } = this.#config;
    if (window === 0 || from + l !== window + 1 || (l !== 1 && from !== 0))
      return positionTurn(from, l, this.#config, this.#backend());
    const backend = this.#backend();
    if (this.#stepTurn !== undefined && this.#stepTurn.own.backend !== backend) this.dispose();
    if (this.#stepTurn === undefined) {
      this.#stepTurn = positionTurn(0, window + 1, this.#config, backend);
      keep(this.#stepTurn.own);
      keep(this.#stepTurn.partner);
    }
    return turnsFrom(this.#stepTurn, from, l);
  }

  dispose(): void {
    for (const t of [this.#table, this.#stepTurn?.own, this.#stepTurn?.partner]) t?.dispose();
    this.#table = undefined;
    this.#stepTurn = undefined;
  }
}

/**
 * Rotary positions (arXiv 2104.09864): pair i of a vector turns by position / base^(2i / dim), or as `rotaryScaling` has it.
 * @returns the turn of vectors [b, l, h, dim] at the positions from..from+l: one for all heads of a token.
 */
function positionTurn(from: number, l: number, rotary: Rotary, backend: AnyBackend): Turn {
  const { rotaryDim: dim, rotaryInterleaved } = rotary;
  const { cosines, sines } = turnsOf(from, l, rotary);
  const [cos, sin] = [cosines, sines].map((table) => tensor(table, [l, 1, dim / 2], { backend }));
  return makeTurn(cos!, sin!, dim, rotaryInterleaved ? "neighbours" : "halves");
}

interface Turns {
  readonly key: string;
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
}
/** What was asked for last: the layers of a model ask for the same positions one after the other, queries and keys of each. */
let latest: Turns | undefined;

/** Cosines and sines of `anglesOf`, each [l, pairs]. */
function turnsOf(from: number, l: number, rotary: Rotary): Turns {
  const { rotaryDim, rotaryBase, rotaryScaling } = rotary;
  const key = JSON.stringify([from, l, rotaryDim, rotaryBase, rotaryScaling]);
  if (latest?.key === key) return latest;
  const angles = anglesOf(from, l, rotary);
  const gain = rotaryScaling?.gain ?? 1;
  latest = {
    key,
    cosines: Float32Array.from(angles, (angle) => gain * Math.cos(angle)),
    sines: Float32Array.from(angles, (angle) => gain * Math.sin(angle)),
  };
  return latest;
}

/**
 * The angles of l positions from `from` on, [l, pairs]. A `dynamic` scaling turns each token as the text is long then: so step by step equals
 * the whole, and transformers decoding with its cache, which turns all of a prompt as its end.
 */
function anglesOf(from: number, l: number, { rotaryDim: dim, rotaryBase, rotaryScaling }: Rotary): Float64Array {
  const pairs = dim / 2;
  const angles = new Float64Array(l * pairs);
  let frequencies = rotaryFrequencies(dim, rotaryBase, rotaryScaling, from);
  for (let t = 0; t < l; t++) {
    if (rotaryScaling?.type === "dynamic" && from + t >= rotaryScaling.trainedLength)
      frequencies = rotaryFrequencies(dim, rotaryBase, rotaryScaling, from + t + 1);
    for (let i = 0; i < pairs; i++) angles[t * pairs + i] = (from + t) * frequencies[i]!;
  }
  return angles;
}

/** Cosines, then sines, of every position below m: [m, dim], from which a step on the device takes its own. */
function rotaryTable(m: number, rotary: Rotary, backend: AnyBackend): Tensor {
  const { rotaryDim: dim, rotaryScaling } = rotary;
  const pairs = dim / 2;
  const gain = rotaryScaling?.gain ?? 1;
  const table = new Float32Array(m * dim);
  anglesOf(0, m, rotary).forEach((angle, i) => {
    const at = Math.floor(i / pairs) * dim + (i % pairs);
    table[at] = gain * Math.cos(angle);
    table[at + pairs] = gain * Math.sin(angle);
  });
  return tensor(table, [m, dim], { backend });
}
