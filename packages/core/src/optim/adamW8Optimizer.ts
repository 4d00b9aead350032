import { ArgumentError } from "../errors.ts";
import { adamW } from "../ops/adamW.ts";
import { disposeOnThrow, keep, tidy, writeInto, zeros, type Parameter, type Tensor } from "../tensor/index.ts";
import { AdamW, type AdamWOptions } from "./adamWOptimizer.ts";
import { EightBit } from "./eightBit.ts";
import type { Optimizer, SavedMoments } from "./optimizer.ts";

/** Parameters of fewer numbers keep float32 moments: they are few, and norms and biases feel a rounding most. */
const LEAST = 4096;

interface Slot {
  readonly parameter: Parameter;
  readonly m: EightBit;
  readonly v: EightBit;
}

/**
 * AdamW whose moments take a byte a number, a quarter of float32's: they are made float32 for a step of their parameter, and bytes again after it.
 * Settings and order of operations are AdamW's.
 * Source: Dettmers et al. 2022 (arXiv 2110.02861); see `EightBit` for what departs.
 */
export class AdamW8 implements Optimizer {
  readonly options: Required<AdamWOptions>;
  readonly parameters: readonly Parameter[];
  readonly #rest: AdamW;
  readonly #slots: readonly Slot[];
  readonly #places: readonly { readonly small: boolean; readonly at: number }[];
  readonly #hyper: Tensor | undefined;
  steps = 0;

  /** @throws ArgumentError for settings that are unknown or out of range. */
  constructor(parameters: Iterable<Parameter>, options: AdamWOptions = {}) {
    this.parameters = [...parameters].filter(({ trainable }) => trainable);
    const small = this.parameters.filter(({ size }) => size < LEAST);
    const large = this.parameters.filter(({ size }) => size >= LEAST);
    this.#places = this.parameters.map((parameter) =>
      parameter.size < LEAST
        ? { small: true, at: small.indexOf(parameter) }
        : { small: false, at: large.indexOf(parameter) },
    );
    this.#rest = new AdamW(small, options);
    this.options = this.#rest.options;
    this.#slots = disposeOnThrow(() =>
      large.map((parameter) => ({
        parameter,
        m: new EightBit(parameter.shape, "signed", parameter.backend),
        v: new EightBit(parameter.shape, "positive", parameter.backend),
      })),
    );
    const [first] = large;
    this.#hyper = first && keep(zeros([8], { backend: first.backend }));
  }

  momentsOf(parameter: Parameter): readonly string[] {
    return parameter.size < LEAST ? this.#rest.momentsOf() : ["m8", "mScales", "v8", "vScales"];
  }

  /** Bytes that the moments of large parameters take. */
  get bytes(): number {
    return this.#slots.reduce((total, { m, v }) => total + m.bytes + v.bytes, 0);
  }

  step(grads: readonly (Tensor | null)[], learningRate: number = this.options.learningRate, gradScale?: Tensor): void {
    if (grads.length !== this.parameters.length)
      throw new ArgumentError(`AdamW8: needs ${this.parameters.length} gradients, got ${grads.length}`);
    this.steps++;
    const others: (Tensor | null)[] = [];
    this.#places.forEach(({ small, at }, i) => {
      const grad = grads[i]!;
      if (small) others[at] = grad;
      else if (grad) this.#stepOne(this.#slots[at]!, grad, learningRate, gradScale);
    });
    this.#rest.step(others, learningRate, gradScale);
  }

  #stepOne({ parameter, m, v }: Slot, grad: Tensor, learningRate: number, gradScale: Tensor | undefined): void {
    const { beta1, beta2, eps, weightDecay, decayAll, learningRate: base } = this.options;
    const factor = base === 0 ? 0 : learningRate / base;
    const rate = parameter.learningRate === undefined ? learningRate : parameter.learningRate * factor;
    const decay = parameter.decay || decayAll ? weightDecay : 0;
    const hyper = this.#hyper!;
    writeInto(
      hyper,
      Float32Array.of(rate, beta1, beta2, eps, decay, 1 - beta1 ** this.steps, 1 - beta2 ** this.steps, 0),
    );
    tidy(() => {
      const [mean, spread] = [m.read(), v.read()];
      const inputs = { param: parameter.value, m: mean, v: spread, grad, hyper };
      adamW(gradScale === undefined ? inputs : { ...inputs, gradScale });
      m.write(mean);
      v.write(spread);
    });
    parameter.version++;
  }

  async save(): Promise<{ steps: number; moments: SavedMoments }> {
    const { moments } = await this.#rest.save();
    const all = new Map<string, Readonly<Record<string, Float32Array>>>(moments);
    for (const { parameter, m, v } of this.#slots) {
      const [one, two] = [await m.save(), await v.save()];
      all.set(parameter.name, { m8: one.words, mScales: one.scales, v8: two.words, vScales: two.scales });
    }
    return { steps: this.steps, moments: all };
  }

  restore({ steps, moments }: { steps: number; moments: SavedMoments }): void {
    this.#rest.restore({ steps, moments });
    for (const { parameter, m, v } of this.#slots) {
      const own = moments.get(parameter.name);
      if (!m.restore(own?.["m8"], own?.["mScales"]) || !v.restore(own?.["v8"], own?.["vScales"]))
        throw new ArgumentError(`AdamW8: moments of ${parameter.name} are missing or of another size`);
    }
    this.steps = steps;
  }

  dispose(): void {
    for (const { m, v } of this.#slots) for (const each of [m, v]) each.dispose();
    this.#hyper?.dispose();
    this.#rest.dispose();
  }
}
