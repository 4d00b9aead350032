import { ArgumentError } from "../errors.ts";
import { add, copy, mul, sign, sub } from "../ops/index.ts";
import { refuseUnknown } from "../options/index.ts";
import {
  disposeOnThrow,
  keep,
  readFloats,
  tidy,
  writeInto,
  zeros,
  type Parameter,
  type Tensor,
} from "../tensor/index.ts";
import type { Optimizer, SavedMoments } from "./optimizer.ts";

/** Settings of `Lion`. Default: the paper's, learning rate 1e-4, betas 0.9 and 0.99, no weight decay. */
export interface LionOptions {
  /** Step size of every parameter without one of its own: a third to a tenth of AdamW's. */
  learningRate?: number;
  beta1?: number;
  beta2?: number;
  /** Applied to parameters with `decay`: three to ten times AdamW's. */
  weightDecay?: number;
}

const NAMES: Readonly<Record<keyof LionOptions, true>> = {
  learningRate: true,
  beta1: true,
  beta2: true,
  weightDecay: true,
};

interface Slot {
  readonly parameter: Parameter;
  readonly m: Tensor;
}

/**
 * Lion in place: each weight moves by its rate, up or down, as the sign of a mean of gradients says. It keeps one moment, half of AdamW's.
 *
 *     param = param (1 - lr decay) - lr sign(beta1 m + (1 - beta1) g);   m = beta2 m + (1 - beta2) g
 *
 * Source: Chen et al. 2023 (arXiv 2302.06675), Algorithm 2.
 */
export class Lion implements Optimizer {
  readonly options: Required<LionOptions>;
  readonly #slots: readonly Slot[];
  steps = 0;

  /** @throws ArgumentError for settings that are unknown or out of range. */
  constructor(parameters: Iterable<Parameter>, options: LionOptions = {}) {
    refuseUnknown("Lion", options, Object.keys(NAMES), { lr: "learningRate", betas: "beta1", decay: "weightDecay" });
    const all = { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0, ...options };
    for (const name of ["learningRate", "weightDecay"] as const)
      if (!(all[name] >= 0)) throw new ArgumentError(`Lion: ${name} must be >= 0, got ${all[name]}`);
    for (const name of ["beta1", "beta2"] as const)
      if (!(all[name] >= 0 && all[name] < 1))
        throw new ArgumentError(`Lion: ${name} must be in [0, 1), got ${all[name]}`);
    this.options = all;
    this.#slots = disposeOnThrow(() =>
      [...parameters]
        .filter(({ trainable }) => trainable)
        .map((parameter) => ({ parameter, m: keep(zeros(parameter.shape, { backend: parameter.backend })) })),
    );
  }

  momentsOf(): readonly string[] {
    return ["m"];
  }

  get parameters(): readonly Parameter[] {
    return this.#slots.map(({ parameter }) => parameter);
  }

  step(grads: readonly (Tensor | null)[], learningRate: number = this.options.learningRate, gradScale?: Tensor): void {
    if (grads.length !== this.#slots.length)
      throw new ArgumentError(`Lion: needs ${this.#slots.length} gradients, got ${grads.length}`);
    this.steps++;
    const { beta1, beta2, weightDecay, learningRate: base } = this.options;
    const factor = base === 0 ? 0 : learningRate / base;
    this.#slots.forEach(({ parameter, m }, i) => {
      const grad = grads[i];
      if (!grad) return;
      const rate = parameter.learningRate === undefined ? learningRate : parameter.learningRate * factor;
      const decay = parameter.decay ? weightDecay : 0;
      tidy(() => {
        const g = gradScale === undefined ? grad : mul(grad, gradScale);
        const direction = sign(add(mul(m, beta1), mul(g, 1 - beta1)));
        copy({
          destination: parameter.value,
          source: sub(mul(parameter.value, 1 - rate * decay), mul(direction, rate)),
        });
        copy({ destination: m, source: add(mul(m, beta2), mul(g, 1 - beta2)) });
      });
      parameter.version++;
    });
  }

  async save(): Promise<{ steps: number; moments: SavedMoments }> {
    const moments = new Map<string, { m: Float32Array }>();
    for (const { parameter, m } of this.#slots) moments.set(parameter.name, { m: await readFloats(m) });
    return { steps: this.steps, moments };
  }

  restore({ steps, moments }: { steps: number; moments: SavedMoments }): void {
    const found = this.#slots.map(({ parameter }) => {
      const m = moments.get(parameter.name)?.["m"];
      if (m?.length !== parameter.size)
        throw new ArgumentError(`Lion: moments of ${parameter.name} are missing or of another size`);
      return m;
    });
    this.#slots.forEach(({ m }, i) => writeInto(m, found[i]!));
    this.steps = steps;
  }

  dispose(): void {
    for (const { m } of this.#slots) m.dispose();
  }
}
