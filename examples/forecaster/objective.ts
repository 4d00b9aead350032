import { add, maximum, mean, mul, reshape, Rng, sub, sum, tensor, tidy, type Tensor } from "@statespace/core";
import type { Model, Trainable, TrainingBatch, TrainingStream } from "@statespace/models";
import { HORIZON, QUANTILES } from "./model.ts";

/** Stretches of a bank's series, or of the sum of a few. */
export class SeriesStream implements TrainingStream {
  #rng: Rng;
  readonly #bank: readonly Float32Array[];
  readonly #rows: number;
  readonly #lengths: readonly number[];

  constructor(bank: readonly Float32Array[], seed: number, rows: number, lengths: readonly number[]) {
    this.#rng = new Rng(seed);
    this.#bank = bank;
    this.#rows = rows;
    this.#lengths = lengths;
  }

  /** In the units of a beginning of theirs; the targets are the whole series, and the mask the steps after that beginning. */
  nextBatch(): TrainingBatch {
    const length = this.#lengths[this.#rng.integer(this.#lengths.length)]!;
    const rows = this.#rows;
    const whole = length + HORIZON;
    const inputs = new Float32Array(rows * length);
    const targets = new Float32Array(rows * whole);
    const mask = new Float32Array(rows * length);
    for (let row = 0; row < rows; row++) {
      const from = Math.floor(length * this.#rng.uniform(0.25, 0.95));
      const z = standardised(this.#series(whole), from);
      inputs.set(z.subarray(0, length), row * length);
      targets.set(z, row * whole);
      mask.fill(1, row * length + from - 1, (row + 1) * length);
    }
    return { inputs, shape: [rows, length, 1], targets, targetShape: [rows, whole], mask };
  }

  /**
   * One, or the sum of two or three with weights that are drawn: far more than the bank holds. Parts of a sum may pass slowly, as a year does among days.
   * Source of the sums: TSMixup, arXiv 2403.07815, section 4.1.
   */
  #series(length: number): Float32Array {
    const rng = this.#rng;
    const out = new Float32Array(length);
    const count = rng.uniform() < 0.4 ? 1 : 2 + rng.integer(2);
    for (let i = 0; i < count; i++) {
      const series = this.#bank[rng.integer(this.#bank.length)]!;
      const pace = count > 1 && rng.uniform() < 0.4 ? 2 ** -rng.uniform(0.5, 3.5) : 1;
      const steps = Math.ceil((length - 1) * pace) + 2;
      const from = rng.integer(Math.max(1, series.length - steps + 1));
      const weight = (count === 1 ? 1 : rng.uniform(0.05, 1)) * (rng.uniform() < 0.2 ? -1 : 1);
      for (let t = 0; t < length; t++) {
        const at = from + t * pace;
        const whole = Math.floor(at);
        const [here, next] = [series[whole]!, series[Math.min(whole + 1, series.length - 1)]!];
        out[t]! += weight * (here + (at - whole) * (next - here));
      }
    }
    return out;
  }

  state(): readonly number[] {
    return this.#rng.state();
  }

  restore(state: unknown): void {
    this.#rng = Rng.fromState(state as number[]);
  }
}

/** By the mean and deviation of the first steps, far values drawn in: a context may be flat, and what comes be not. */
function standardised(series: Float32Array, from: number): Float32Array {
  let [mean, variance] = [0, 0];
  for (let t = 0; t < from; t++) mean += series[t]! / from;
  for (let t = 0; t < from; t++) variance += (series[t]! - mean) ** 2 / from;
  const deviation = Math.sqrt(variance) + 1e-5 * Math.abs(mean) + 1e-8;
  return Float32Array.from(series, (value) => Math.max(-10, Math.min(10, (value - mean) / deviation)));
}

/** The pinball loss of the next `HORIZON` steps after each step that counts. */
export function everyStepObjective(model: Model): Trainable {
  const loss = (batch: TrainingBatch): Tensor =>
    tidy(() => {
      const { backend } = model;
      const [b, l] = batch.shape as [number, number];
      const inputs = tensor(batch.inputs, batch.shape, { backend });
      const answers = reshape(model.forward(inputs).output, [b, l, HORIZON, QUANTILES.length]);
      const next = tensor(ahead(batch.targets as Float32Array, b, l), [b, l, HORIZON, 1], { backend });
      const levels = tensor(Float32Array.from(QUANTILES), [QUANTILES.length], { backend });
      const errors = sub(next, answers);
      const losses = mean(reshape(maximum(mul(errors, levels), mul(errors, add(levels, -1))), [b, l, -1]), 2);
      const counted = batch.mask!.reduce((total, value) => total + value, 0);
      const weights = tensor(
        batch.mask!.map((value) => value / counted),
        [b, l],
        { backend },
      );
      return sum(mul(losses, weights));
    });
  return { parameters: model.parameters, loss };
}

/** The steps after each step. */
function ahead(series: Float32Array, rows: number, length: number): Float32Array {
  const out = new Float32Array(rows * length * HORIZON);
  for (let row = 0; row < rows; row++)
    for (let t = 0; t < length; t++)
      for (let h = 0; h < HORIZON; h++)
        out[(row * length + t) * HORIZON + h] = series[row * (length + HORIZON) + t + 1 + h]!;
  return out;
}
