import { linear, matMul, mul, Parameter, tensor, type Rng, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { constant, kaimingUniform, normal } from "../layers/initializers.ts";
import type { Linear } from "../layers/linear.ts";
import type { LinearModule } from "./modules.ts";
import { sortedSpans, type Piece, type Span } from "./rows.ts";

/** How a `LowRank` is made. */
export interface LowRankOptions {
  readonly rank: number;
  readonly scale: number;
  readonly dora: boolean;
  readonly gaussian: boolean;
  /** Of the first values of A; a loader brings them where there is none. */
  readonly rng: Rng | undefined;
}

/** What an adapter adds to one linear layer: scale B A, and with DoRA a length for each of its rows. */
export class LowRank {
  readonly module: LinearModule;
  readonly A: Parameter; // [r, inputs]
  readonly B: Parameter; // [outputs of the module, r], in the order of our rows
  /** Lengths of the rows of the adapted weight, where it is DoRA's. */
  readonly magnitude: Parameter | undefined; // [outputs of the module]
  readonly scale: number;
  /** Rows of our weight that it changes. */
  readonly spans: readonly Span[];

  constructor(module: LinearModule, { rank, scale, dora, gaussian, rng }: LowRankOptions) {
    const { name, linear: projection } = module;
    const [, inputs] = projection.weight.shape as [number, number];
    const { backend } = projection;
    this.module = module;
    this.scale = scale;
    this.spans = sortedSpans(module.rows);
    const outputs = this.spans.reduce((total, [, count]) => total + count, 0);
    const init = gaussian ? normal(1 / rank) : kaimingUniform(inputs);
    const made = (key: string, shape: readonly number[], values: Float32Array | undefined): Parameter =>
      new Parameter(`${name}.${key}`, values === undefined ? shape : tensor(values, shape, { backend }), { backend });
    this.A = made("lora_A.weight", [rank, inputs], rng && init([rank, inputs], rng));
    this.B = made("lora_B.weight", [outputs, rank], rng && constant(0)([outputs, rank], rng));
    this.magnitude = dora ? made("lora_magnitude_vector", [outputs], undefined) : undefined;
  }

  get linear(): Linear {
    return this.module.linear;
  }

  get parameters(): readonly Parameter[] {
    return this.magnitude === undefined ? [this.A, this.B] : [this.A, this.B, this.magnitude];
  }

  /** What it adds to the layer's output, row by row of our weight. @param x [..., inputs] */
  pieces(x: Tensor): Piece[] {
    const low = linear({ x, weight: this.A.value }).y;
    const y = linear({ x: this.scale === 1 ? low : mul(low, this.scale), weight: this.B.value }).y;
    return this.#cut(y, y.shape.length - 1);
  }

  /** What it adds to the weight. */
  weightPieces(): Piece[] {
    const product = matMul(this.B.value, this.A.value);
    return this.#cut(this.scale === 1 ? product : mul(product, this.scale), 0);
  }

  /** The lengths, row by row of our weight. */
  magnitudePieces(): Piece[] {
    return this.magnitude === undefined ? [] : this.#cut(this.magnitude.value, 0);
  }

  #cut(whole: Tensor, axis: number): Piece[] {
    let at = 0;
    return this.spans.map(([from, count]) => {
      const values = this.spans.length === 1 ? whole : sliceAxis(whole, axis, at, count);
      at += count;
      return { from, values };
    });
  }
}
