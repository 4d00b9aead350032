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
import { selectiveCopying } from "@statespace/datasets";
import { SIZES, type ModelSize } from "./sizes.ts";
import type { Mixing } from "./selects.ts";
import { SequenceModel } from "./sequenceModel.ts";

/** The task and the model, as the page sets them. */
export interface RaceSettings {
  readonly mixing: Mixing;
  /** Letters there are; the vocabulary has noise and the question beside them. */
  readonly letters: number;
  /** Letters to remember. */
  readonly nTokens: number;
  /** Steps before the question. */
  readonly seqLen: number;
  readonly seed: number;
  readonly size: ModelSize;
}

const TRAINING = { warmup: 20, beta2: 0.98, weightDecay: 0.01, maxNorm: 1 };
const EVALUATION_ROWS = 64;
/** Seed of the sequences both are judged on; the training seed is the visitor's. */
const EVALUATION_SEED = 987_654;

/** One model learning selective copying. */
export class Trainer {
  readonly settings: RaceSettings;
  readonly model: SequenceModel;
  readonly vocabSize: number;
  readonly #task: ReturnType<typeof selectiveCopying>;
  readonly #optimizer: AdamW;
  readonly #rng: Rng;
  steps = 0;

  /** @param backend where the model lives, by default the one that is set */
  constructor(settings: RaceSettings, backend?: AnyBackend) {
    this.settings = settings;
    const { letters, nTokens, seqLen, seed, mixing, size } = settings;
    const { dModel, dState, nLayer } = SIZES[size];
    this.vocabSize = letters + 2;
    this.#task = selectiveCopying({ vocabSize: this.vocabSize, nTokens, seqLen });
    this.#rng = new Rng(seed);
    this.model = new SequenceModel({ dModel, dState, nLayer, mixing, vocabSize: this.vocabSize, seed }, backend);
    const { beta2, weightDecay } = TRAINING;
    this.#optimizer = new AdamW(this.model.parameters, { beta2, weightDecay, learningRate: SIZES[size].learningRate });
  }

  /** One batch of fresh sequences; the caller disposes the loss. */
  step(): Tensor {
    const batch = this.#task.sample(this.#rng, SIZES[this.settings.size].batch);
    const { backend } = this.model;
    const ids = tensor(batch.inputs, batch.shape, { backend });
    const targets = tensor(batch.targets, batch.targetShape, { backend });
    const { value, grads } = valueAndGrads(
      () => meanCrossEntropy(this.model.forward(ids), targets),
      this.#optimizer.parameters.map((p) => p.value),
    );
    const { norm, scale } = clipScale(grads, TRAINING.maxNorm);
    this.#optimizer.step(
      grads,
      SIZES[this.settings.size].learningRate * Math.min(1, (this.steps + 1) / TRAINING.warmup),
      scale,
    );
    for (const t of [ids, targets, norm, scale, ...grads]) t?.dispose();
    this.steps++;
    return value;
  }

  /** Share of letters answered right on sequences never trained on. */
  async accuracy(): Promise<number> {
    const batch = this.#task.sample(new Rng(EVALUATION_SEED), EVALUATION_ROWS);
    const logits = await this.logits(batch.inputs, EVALUATION_ROWS);
    let right = 0;
    let asked = 0;
    batch.targets.forEach((target, i) => {
      if (target < 0) return;
      asked++;
      if (bestOf(logits.subarray(i * this.vocabSize, (i + 1) * this.vocabSize)) === target) right++;
    });
    return right / asked;
  }

  /** @param ids [rows * l] @returns logits [rows * l * v] */
  async logits(ids: Int32Array, rows: number): Promise<Float32Array> {
    const input = tensor(ids, [rows, ids.length / rows], { backend: this.model.backend });
    const output = noGrad(() => this.model.forward(input));
    try {
      return await readFloats(output);
    } finally {
      input.dispose();
      output.dispose();
    }
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.model.dispose();
  }
}

/** Index of the largest. */
export function bestOf(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}
