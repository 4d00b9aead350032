import { add, div, keep, mul, noGrad, reshape, sqrt, square, sub, sum, tidy, type Tensor } from "@statespace/core";
import { isRecordingGradients } from "@statespace/core/backend";
import { sliceAxis, unpackWeight } from "@statespace/core/ops";
import type { Linear, LinearAdapter } from "../layers/linear.ts";
import type { LowRank } from "./lowRank.ts";
import { assemble } from "./rows.ts";

/**
 * A projection of ours with an adapter on one or several of its parts:
 *
 *     y = W x + b + B A x                      LoRA (Hu et al. 2021, arXiv 2106.09685), the product scaled
 *     y = m / |W + B A| (W x + B A x) + b      DoRA (Liu et al. 2024, arXiv 2402.09353), section 4.3: |.| counts as constant
 *
 * With dropout W x is that of all inputs, where PEFT's DoRA takes it of those that are left.
 */
export class AdaptedLinear implements LinearAdapter {
  readonly linear: Linear;
  readonly parts: readonly LowRank[];
  /** Set while training with dropout. */
  dropout: ((x: Tensor) => Tensor) | undefined;
  #norms: { readonly key: string; readonly value: Tensor } | undefined;

  constructor(linear: Linear, parts: readonly LowRank[]) {
    this.linear = linear;
    this.parts = parts;
  }

  /** Whether it acts only when it is merged. */
  get idle(): boolean {
    return this.parts.every(({ module }) => module.idle);
  }

  /** Whether its values went with their device. */
  get isLost(): boolean {
    return this.parts.some(({ parameters }) => parameters.some((p) => p.isLost));
  }

  get #hasMagnitudes(): boolean {
    return this.parts.some(({ magnitude }) => magnitude !== undefined);
  }

  apply(x: Tensor, y: Tensor): Tensor {
    const pieces = this.parts.flatMap((part) => part.pieces(this.dropout === undefined ? x : this.dropout(x)));
    const delta = assemble(pieces, y.shape, y.shape.length - 1);
    if (!this.#hasMagnitudes) return add(y, delta);
    const { bias } = this.linear;
    const plain = bias === undefined ? y : sub(y, bias.value);
    const turned = mul(add(plain, delta), this.#factors());
    return bias === undefined ? turned : add(turned, bias.value);
  }

  /** The weight with the adapter in it, float32. */
  mergedWeight(): Tensor {
    return tidy(() => {
      const sum = this.#sum();
      return this.#hasMagnitudes ? mul(sum, reshape(this.#factors(), [sum.shape[0]!, 1])) : sum;
    });
  }

  /** W + B A. */
  #sum(): Tensor {
    const { weight } = this.linear;
    const plain = weight.backend.formatOf(weight.value) === "f32" ? weight.value : unpackWeight(weight.value);
    const pieces = this.parts.flatMap((part) => part.weightPieces());
    return add(plain, assemble(pieces, weight.shape, 0));
  }

  /** Lengths of the rows of W + B A, [outputs]. */
  rowNorms(): Tensor {
    return tidy(() => sqrt(sum(square(this.#sum()), 1)));
  }

  /** m / |W + B A|, 1 where a row has no length of its own: [outputs]. */
  #factors(): Tensor {
    const norms = this.#norm();
    const pieces = this.parts
      .flatMap((part) => part.magnitudePieces())
      .map(({ from, values }) => ({ from, values: div(values, sliceAxis(norms, 0, from, values.size)) }));
    return assemble(pieces, norms.shape, 0, 1);
  }

  /** Kept between calls unless gradients are recorded, when it changes with each step. */
  #norm(): Tensor {
    if (isRecordingGradients()) return noGrad(() => this.rowNorms());
    const { weight } = this.linear;
    const parameters = [weight, ...this.parts.flatMap(({ A, B }) => [A, B])];
    const key = `${weight.backend.name}/${parameters.map(({ version }) => version).join("/")}`;
    if (this.#norms?.key !== key) {
      this.release();
      this.#norms = { key, value: keep(this.rowNorms()) };
    }
    return this.#norms!.value;
  }

  /** Frees what it keeps beside its parameters. */
  release(): void {
    this.#norms?.value.dispose();
    this.#norms = undefined;
  }
}
