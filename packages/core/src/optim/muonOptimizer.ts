import { ArgumentError } from "../errors.ts";
import { add, copy, div, linear, matMul, maximum, mul, sqrt, sub, sum, square, transpose } from "../ops/index.ts";
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
import { AdamW, type AdamWOptions } from "./adamWOptimizer.ts";
import type { Optimizer, SavedMoments } from "./optimizer.ts";

/** Settings of `Muon`: AdamW's, for what is no matrix and for the decay of both, and its own. Default: learning rate 1e-3, momentum 0.95. */
export interface MuonOptions extends AdamWOptions {
  readonly momentum?: number;
  /** Which matrices it turns; all that decay unless told. Embeddings and heads are best left to AdamW. */
  readonly turns?: (parameter: Parameter) => boolean;
}

const NAMES = ["learningRate", "beta1", "beta2", "eps", "weightDecay", "decayAll", "momentum", "turns"];

/** Quintic that drives singular values towards 1 from anywhere in (0, 1], steeply at 0: they end within 0.7 and 1.2. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;
/** Root mean square of a step as AdamW's is, so that one rate and one decay serve both. */
const SIZE = 0.2;

interface Slot {
  readonly parameter: Parameter;
  readonly m: Tensor;
}

/**
 * Muon in place: a matrix moves by its momentum with all singular values made about 1 (five Newton-Schulz steps), so that rare directions are
 * learnt as fast as common ones. What is no matrix goes by AdamW.
 *
 *     m = momentum m + g;   param = param (1 - lr decay) - lr 0.2 sqrt(max(rows, columns)) orthogonalised(g + momentum m)
 *
 * Source: Jordan et al. 2024 (kellerjordan.github.io/posts/muon); decay and size of the step as Liu et al. 2025 (arXiv 2502.16982), section 2.2.
 */
export class Muon implements Optimizer {
  readonly options: Required<Omit<MuonOptions, "turns">>;
  readonly parameters: readonly Parameter[];
  readonly #rest: AdamW;
  readonly #slots: readonly Slot[];
  /** Of each parameter, its place among the slots or those of AdamW. */
  readonly #places: readonly { readonly turned: boolean; readonly at: number }[];
  steps = 0;

  /** @throws ArgumentError for settings that are unknown or out of range. */
  constructor(
    parameters: Iterable<Parameter>,
    { momentum = 0.95, turns = ({ decay }) => decay, ...rest }: MuonOptions = {},
  ) {
    refuseUnknown("Muon", rest, NAMES, { lr: "learningRate", betas: "beta1", nesterov: "momentum" });
    if (!(momentum >= 0 && momentum < 1)) throw new ArgumentError(`Muon: momentum must be in [0, 1), got ${momentum}`);
    this.parameters = [...parameters].filter(({ trainable }) => trainable);
    const turned = (parameter: Parameter): boolean => parameter.shape.length === 2 && turns(parameter);
    const matrices = this.parameters.filter(turned);
    const others = this.parameters.filter((parameter) => !turned(parameter));
    this.#places = this.parameters.map((parameter) =>
      turned(parameter)
        ? { turned: true, at: matrices.indexOf(parameter) }
        : { turned: false, at: others.indexOf(parameter) },
    );
    this.#rest = new AdamW(others, rest);
    this.options = { ...this.#rest.options, momentum };
    this.#slots = disposeOnThrow(() =>
      matrices.map((parameter) => ({ parameter, m: keep(zeros(parameter.shape, { backend: parameter.backend })) })),
    );
  }

  momentsOf(parameter: Parameter): readonly string[] {
    return this.#slots.some((slot) => slot.parameter === parameter) ? ["m"] : this.#rest.momentsOf();
  }

  step(grads: readonly (Tensor | null)[], learningRate: number = this.options.learningRate, gradScale?: Tensor): void {
    if (grads.length !== this.parameters.length)
      throw new ArgumentError(`Muon: needs ${this.parameters.length} gradients, got ${grads.length}`);
    this.steps++;
    const others: (Tensor | null)[] = [];
    this.#places.forEach(({ turned, at }, i) => {
      const grad = grads[i]!;
      if (!turned) others[at] = grad;
      else if (grad) this.#turn(this.#slots[at]!, grad, learningRate, gradScale);
    });
    this.#rest.step(others, learningRate, gradScale);
  }

  #turn({ parameter, m }: Slot, grad: Tensor, learningRate: number, gradScale: Tensor | undefined): void {
    const { momentum, weightDecay, decayAll, learningRate: base } = this.options;
    const factor = base === 0 ? 0 : learningRate / base;
    const rate = parameter.learningRate === undefined ? learningRate : parameter.learningRate * factor;
    const decay = parameter.decay || decayAll ? weightDecay : 0;
    const [rows, columns] = parameter.shape as [number, number];
    const size = SIZE * Math.sqrt(Math.max(rows, columns));
    tidy(() => {
      const g = gradScale === undefined ? grad : mul(grad, gradScale);
      const next = add(mul(m, momentum), g);
      copy({ destination: m, source: next });
      const turned = orthogonalised(add(g, mul(next, momentum)));
      copy({
        destination: parameter.value,
        source: sub(mul(parameter.value, 1 - rate * decay), mul(turned, rate * size)),
      });
    });
    parameter.version++;
  }

  async save(): Promise<{ steps: number; moments: SavedMoments }> {
    const { moments } = await this.#rest.save();
    const all = new Map<string, Readonly<Record<string, Float32Array>>>(moments);
    for (const { parameter, m } of this.#slots) all.set(parameter.name, { m: await readFloats(m) });
    return { steps: this.steps, moments: all };
  }

  restore({ steps, moments }: { steps: number; moments: SavedMoments }): void {
    const found = this.#slots.map(({ parameter }) => {
      const m = moments.get(parameter.name)?.["m"];
      if (m?.length !== parameter.size)
        throw new ArgumentError(`Muon: moments of ${parameter.name} are missing or of another size`);
      return m;
    });
    this.#rest.restore({ steps, moments });
    this.#slots.forEach(({ m }, i) => writeInto(m, found[i]!));
    this.steps = steps;
  }

  dispose(): void {
    for (const { m } of this.#slots) m.dispose();
    this.#rest.dispose();
  }
}

/** U V^T of a matrix U S V^T, about. @param g [rows, columns] */
function orthogonalised(g: Tensor): Tensor {
  const tall = g.shape[0]! > g.shape[1]!;
  let x = tall ? transpose(g) : g; // the product below is then of the shorter side
  x = div(x, maximum(sqrt(sum(square(x))), 1e-7));
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = linear({ x, weight: x }).y; // x x^T
    const polynomial = add(mul(gram, B), mul(matMul(gram, gram), C));
    x = add(mul(x, A), matMul(polynomial, x));
  }
  return tall ? transpose(x) : x;
}
