import {
  AdamW,
  clipScale,
  meanCrossEntropy,
  noGrad,
  readFloats,
  Rng,
  tensor,
  valueAndGrads,
  type Tensor,
} from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { Model, type ModelState } from "@statespace/models";
import { answerId, ANSWERS, drawPairs, makeRow, PAIRS, TRAINED, VOCABULARY, type Row } from "./task.ts";

export const KINDS = ["mamba", "s4", "attention"] as const;
export type Kind = (typeof KINDS)[number];

const WIDTH = 32;
const BATCH = 32;
const LEARNING_RATE = 4e-3;
const WARMUP = 20;
const IGNORED = -100;
/** Tokens that are read at a time where a text is longer. */
const CHUNK = 1024;
/** Squares of an attention map, at most, that a device is asked for. */
const MOST_SQUARES = 4e6;

type Layer = ConstructorParameters<typeof Model>[0]["layers"][number];

const layerOf: Readonly<Record<Kind, Layer>> = {
  // small steps to begin with: what is not asked for long shall be able to stay
  mamba: { kind: "mamba", dState: 16, timeStepMin: 1e-5, timeStepMax: 0.01, timeStepFloor: 1e-5 },
  // four times the state size of Mamba, as both papers have it
  s4: { kind: "s4", dState: 64 },
  // by content alone, with a short convolution as Mamba has one, so that a token knows the one before it
  attention: { kind: "attention", nHeads: 2, dConv: 4, rotaryDim: 0 },
};

/** Whether a kind can be asked after so long a text: an attention map grows with its square. */
export const canRead = (kind: Kind, length: number): boolean => kind !== "attention" || length ** 2 <= MOST_SQUARES;

/** A model of one kind that learns to answer. */
export class Learner {
  readonly kind: Kind;
  readonly model: Model;
  readonly #optimizer: AdamW;
  readonly #rng: Rng;
  steps = 0;

  /** @param backend where it lives, by default the one that is set */
  constructor(kind: Kind, seed: number, backend?: AnyBackend) {
    this.kind = kind;
    const layer = layerOf[kind];
    this.model = new Model(
      {
        dModel: WIDTH,
        encoder: { kind: "embedding", vocabSize: VOCABULARY },
        layers: [layer, layer],
        head: { kind: "language" },
      },
      seed,
      { backend },
    );
    this.#optimizer = new AdamW(this.model.parameters, { beta2: 0.98, weightDecay: 0.01, learningRate: LEARNING_RATE });
    this.#rng = new Rng(seed);
  }

  /** One batch of fresh rows; the caller disposes the loss. */
  step(): Tensor {
    const rows = Array.from({ length: BATCH }, () => makeRow(this.#rng, drawPairs(this.#rng), TRAINED));
    const targets = new Int32Array(BATCH * TRAINED).fill(IGNORED);
    rows.forEach(({ due }, row) =>
      due.forEach((answer, i) => (targets[(row + 1) * TRAINED - PAIRS + i] = answerId(answer))),
    );
    const { backend } = this.model;
    const x = tensor(joined(rows), [BATCH, TRAINED], { backend });
    const due = tensor(targets, [BATCH, TRAINED], { backend });
    const { value, grads } = valueAndGrads(
      () => meanCrossEntropy(this.model.forward(x).output, due, IGNORED),
      this.#optimizer.parameters.map((parameter) => parameter.value),
    );
    const { norm, scale } = clipScale(grads, 1);
    this.#optimizer.step(grads, LEARNING_RATE * Math.min(1, (this.steps + 1) / WARMUP), scale);
    for (const each of [x, due, norm, scale, ...grads]) each?.dispose();
    this.steps++;
    return value;
  }

  /** Share of answers that are right on rows never trained on. */
  async accuracy(): Promise<number> {
    const rng = new Rng(987_654);
    const rows = Array.from({ length: 64 }, () => makeRow(rng, drawPairs(rng), TRAINED));
    return this.share(rows);
  }

  /** Share of the answers to rows of equal length that are right. */
  async share(rows: readonly Row[]): Promise<number> {
    const scores = await this.scores(rows);
    let right = 0;
    rows.forEach(({ due }, row) =>
      due.forEach((answer, i) => {
        const own = scores[row]!.subarray(i * ANSWERS, (i + 1) * ANSWERS);
        if (own.indexOf(Math.max(...own)) === answer) right++;
      }),
    );
    return right / (rows.length * PAIRS);
  }

  /**
   * The probability of each answer at each question, of rows of equal length; long texts are read in pieces, with the state carried on.
   * @returns for each row [PAIRS * ANSWERS]
   */
  async scores(rows: readonly Row[]): Promise<Float64Array[]> {
    const length = rows[0]!.ids.length;
    const ids = joined(rows);
    const whole = length <= CHUNK || !this.model.mixers.every(({ constantState }) => constantState);
    let state: ModelState | undefined;
    for (let from = 0; ; from += CHUNK) {
      const to = whole ? length : Math.min(length, from + CHUNK);
      // the questions stay together, at the end of the last piece
      const end = to < length && length - to < PAIRS ? length - PAIRS : to;
      const at = from > 0 && length - from < PAIRS ? length - PAIRS : from;
      const piece = tensor(columnsOf(ids, length, at, end), [rows.length, end - at], { backend: this.model.backend });
      const isLast = end === length;
      const told = noGrad(() =>
        this.model.forward(piece, { ...(state ? { initialState: state } : {}), returnState: !isLast }),
      );
      piece.dispose();
      state?.dispose();
      state = told.state;
      if (!isLast) {
        told.output.dispose();
        continue;
      }
      const logits = await readFloats(told.output);
      told.output.dispose();
      return rows.map((_, row) => answersIn(logits, row, end - at));
    }
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.model.dispose();
  }
}

const joined = (rows: readonly Row[]): Int32Array => Int32Array.from(rows.flatMap(({ ids }) => Array.from(ids)));

function columnsOf(ids: Int32Array, length: number, from: number, to: number): Int32Array {
  const width = to - from;
  return Int32Array.from(
    { length: (ids.length / length) * width },
    (_, i) => ids[Math.floor(i / width) * length + from + (i % width)]!,
  );
}

/** Probabilities among the answers alone, at a row's last tokens. */
function answersIn(logits: Float32Array, row: number, length: number): Float64Array {
  const out = new Float64Array(PAIRS * ANSWERS);
  for (let i = 0; i < PAIRS; i++) {
    const at = ((row + 1) * length - PAIRS + i) * VOCABULARY + answerId(0);
    const own = logits.subarray(at, at + ANSWERS);
    const peak = Math.max(...own);
    const total = own.reduce((sum, value) => sum + Math.exp(value - peak), 0);
    own.forEach((value, answer) => (out[i * ANSWERS + answer] = Math.exp(value - peak) / total));
  }
  return out;
}
