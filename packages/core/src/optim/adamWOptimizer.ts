import { refuseUnknown } from "../options/index.ts";
import { ArgumentError } from "../errors.ts";
import { adamW } from "../ops/adamW.ts";
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

/** Settings of `AdamW`. Default: PyTorch's, learning rate 1e-3, betas 0.9 and 0.999, eps 1e-8, weight decay 0.01. */
export interface AdamWOptions {
  /** Step size of every parameter without one of its own. */
  learningRate?: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
  /** Applied to parameters with `decay`. */
  weightDecay?: number;
  /** Decay all parameters, as plain `torch.optim.AdamW(model.parameters())` does. */
  decayAll?: boolean;
}

const NAMES: Readonly<Record<keyof AdamWOptions, true>> = {
  learningRate: true,
  beta1: true,
  beta2: true,
  eps: true,
  weightDecay: true,
  decayAll: true,
};
const OTHER_NAMES = { lr: "learningRate", epsilon: "eps", betas: "beta1", decay: "weightDecay" };

/** Parameters that share a learning rate and a decay share one tensor of settings, so a step uploads a handful of numbers. */
interface Group {
  readonly learningRate: number | undefined;
  readonly decay: boolean;
  readonly hyper: Tensor;
}

interface Slot {
  readonly parameter: Parameter;
  readonly group: Group;
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * AdamW in place: parameters keep their addresses, so captured graphs stay valid.
 * Parameters marked without decay (A, D, biases, norms) get none, and those with a learning rate of their own keep it,
 * scaled by the schedule as the others are; this is how S4 and Mamba group their parameters.
 * Source: Loshchilov and Hutter 2019 (arXiv 1711.05101), Algorithm 2; order of operations as `torch.optim.AdamW`.
 */
export class AdamW implements Optimizer {
  readonly options: Required<AdamWOptions>;
  readonly #groups = new Map<string, Group>();
  readonly #slots: readonly Slot[];
  /** Steps taken. */
  steps = 0;

  /** @throws ArgumentError for settings out of range. */
  constructor(parameters: Iterable<Parameter>, options: AdamWOptions = {}) {
    refuseUnknown("AdamW", options, Object.keys(NAMES), OTHER_NAMES);
    const all = {
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      weightDecay: 0.01,
      decayAll: false,
      ...options,
    };
    for (const name of ["learningRate", "eps", "weightDecay"] as const) {
      if (!(all[name] >= 0)) throw new ArgumentError(`AdamW: ${name} must be >= 0, got ${all[name]}`);
    }
    for (const name of ["beta1", "beta2"] as const) {
      if (!(all[name] >= 0 && all[name] < 1))
        throw new ArgumentError(`AdamW: ${name} must be in [0, 1), got ${all[name]}`);
    }
    this.options = all;
    const trainable = [...parameters].filter((parameter) => parameter.trainable);
    // Kept when all of them are there.
    this.#slots = disposeOnThrow(() =>
      trainable.map((parameter) => ({
        parameter,
        group: this.#groupOf(parameter),
        m: zeros(parameter.shape, { backend: parameter.backend }),
        v: zeros(parameter.shape, { backend: parameter.backend }),
      })),
    );
    for (const { group, m, v } of this.#slots) for (const t of [group.hyper, m, v]) keep(t);
  }

  #groupOf({ learningRate, decay, backend }: Parameter): Group {
    const key = `${learningRate}/${decay}/${backend.name}`;
    const group = this.#groups.get(key) ?? { learningRate, decay, hyper: zeros([8], { backend }) };
    this.#groups.set(key, group);
    return group;
  }

  momentsOf(): readonly string[] {
    return ["m", "v"];
  }

  /** The parameters it changes, in the order `step` expects gradients. */
  get parameters(): readonly Parameter[] {
    return this.#slots.map(({ parameter }) => parameter);
  }

  /**
   * One step. Gradients are left to the caller to dispose.
   * @param grads one per parameter; `null` leaves a parameter as it is.
   * @param learningRate of this step, by default the option's; groups with a rate of their own are scaled by the same factor.
   * @param gradScale scalar tensor that multiplies every gradient (`clipScale`).
   */
  step(grads: readonly (Tensor | null)[], learningRate: number = this.options.learningRate, gradScale?: Tensor): void {
    if (grads.length !== this.#slots.length)
      throw new ArgumentError(`AdamW: needs ${this.#slots.length} gradients, got ${grads.length}`);
    this.#writeHyper(learningRate);
    tidy(() => {
      this.#slots.forEach(({ parameter, group, m, v }, i) => {
        const grad = grads[i];
        if (!grad) return;
        const inputs = { param: parameter.value, m, v, grad, hyper: group.hyper };
        adamW(gradScale === undefined ? inputs : { ...inputs, gradScale });
        parameter.version++;
      });
    });
  }

  #writeHyper(learningRate: number): void {
    this.steps++;
    const { beta1, beta2, eps, weightDecay, decayAll, learningRate: base } = this.options;
    const factor = base === 0 ? 0 : learningRate / base;
    for (const group of this.#groups.values()) {
      const rate = group.learningRate === undefined ? learningRate : group.learningRate * factor;
      const decay = group.decay || decayAll ? weightDecay : 0;
      writeInto(
        group.hyper,
        Float32Array.of(rate, beta1, beta2, eps, decay, 1 - beta1 ** this.steps, 1 - beta2 ** this.steps, 0),
      );
    }
  }

  /** Moments and step count by parameter name, for a training checkpoint. */
  async save(): Promise<{ steps: number; moments: Map<string, { m: Float32Array; v: Float32Array }> }> {
    const moments = new Map<string, { m: Float32Array; v: Float32Array }>();
    for (const { parameter, m, v } of this.#slots)
      moments.set(parameter.name, { m: await readFloats(m), v: await readFloats(v) });
    return { steps: this.steps, moments };
  }

  /** Inverse of `save`. @throws ArgumentError when a parameter's moments are missing or of another size. */
  restore(saved: { steps: number; moments: SavedMoments }): void {
    for (const { parameter } of this.#slots) {
      const found = saved.moments.get(parameter.name);
      if (found?.["m"]?.length !== parameter.size || found["v"]?.length !== parameter.size)
        throw new ArgumentError(`AdamW: moments of ${parameter.name} are missing or of another size`);
    }
    for (const { parameter, m, v } of this.#slots) {
      writeInto(m, saved.moments.get(parameter.name)!["m"]!);
      writeInto(v, saved.moments.get(parameter.name)!["v"]!);
    }
    this.steps = saved.steps;
  }

  dispose(): void {
    for (const { hyper } of this.#groups.values()) hyper.dispose();
    for (const { m, v } of this.#slots) for (const t of [m, v]) t.dispose();
  }
}
