import {
  add,
  concat,
  div,
  FormatError,
  maximum,
  mul,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { abs, sliceAxis } from "@statespace/core/ops";
import { constant } from "../layers/initializers.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import type { EncoderConfig, HeadConfig } from "./ends.ts";
import { countedTokens } from "./head.ts";

/**
 * What the channels of vectors are measured by, so that the layers see numbers around 0 of size 1 and answers are in the data's units:
 * - `none`: nothing, they are seen as they are;
 * - `data`: mean and deviation of each channel over the data that `fit` trains on; they are kept with the weights;
 * - `sequence`: mean and deviation of each channel over the sequence itself, so that levels and units that were never trained on are the same
 *   to the model. Source: reversible instance normalisation (Kim et al. 2022, openreview cGDAkQo1C0p), without its affine map.
 */
export type Normalize = "none" | "data" | "sequence";

export const NORMALIZE: readonly Normalize[] = ["none", "data", "sequence"];

/** A mean and a deviation that broadcast against [b, l, channels]. */
export interface Scale {
  readonly mean: Tensor;
  readonly std: Tensor;
}

/** Least deviation of a sequence, as a share of its mean: below it are the roundings of its numbers. */
const LEAST_SHARE = 1e-5;
/** And where the mean is 0. */
const LEAST = 1e-8;

/** @throws FormatError where inputs are no vectors, or answers are not in their units. */
export function checkNormalize({ normalize, encoder, head }: Measures): void {
  if (normalize === "none") return;
  if (encoder.kind !== "linear")
    throw new FormatError(`config: normalize "${normalize}" needs an encoder of kind "linear"`);
  const width = answeredChannels(head);
  if (normalize === "sequence" && width !== undefined && width !== encoder.channels)
    throw new FormatError(
      `config: normalize "sequence" needs answers of the encoder's ${encoder.channels} channels, the head has ${width}`,
    );
}

/** Channels of an answer that has units. */
function answeredChannels(head: HeadConfig): number | undefined {
  if (head.kind === "regression") return head.outputs;
  return head.kind === "forecasting" ? head.channels : undefined;
}

/** What of a config says in which units its numbers are. */
interface Measures {
  readonly normalize: Normalize;
  readonly encoder: EncoderConfig;
  readonly head: HeadConfig;
  readonly irregular: boolean;
}

/** Puts inputs into the units of the layers, and answers back into those of the data. */
export class Units {
  readonly normalize: Normalize;
  /** With `data`: of the inputs, and of the answers where they have units; each [channels], not trained. */
  readonly inputMean: Parameter | undefined;
  readonly inputStd: Parameter | undefined;
  readonly outputMean: Parameter | undefined;
  readonly outputStd: Parameter | undefined;
  /** Of irregular sequences: the usual time from token to token, [1], not trained; 0 before it is known. */
  readonly timeUnit: Parameter | undefined;
  readonly #channels: number;
  readonly #mask: boolean;
  readonly #answers: boolean;

  constructor({ normalize, encoder, head, irregular }: Measures, build: ParameterBuilder) {
    this.normalize = normalize;
    const width = answeredChannels(head);
    this.#answers = width !== undefined;
    this.#channels = encoder.kind === "linear" ? encoder.channels : 0;
    this.#mask = encoder.kind === "linear" && encoder.missing === "mask";
    const own = { decay: false, trainable: false };
    this.timeUnit = irregular ? build.make("time_unit", [1], constant(0), own) : undefined;
    if (normalize !== "data") return;
    const make = (name: string, size: number, value: number): Parameter =>
      build.make(name, [size], constant(value), own);
    this.inputMean = make("input_mean", this.#channels, 0);
    this.inputStd = make("input_std", this.#channels, 1);
    if (width === undefined) return;
    this.outputMean = make("output_mean", width, 0);
    this.outputStd = make("output_std", width, 1);
  }

  /** Whether `normalize: "data"` waits for its data: means are 0 and deviations 1. */
  async waits(): Promise<boolean> {
    if (this.inputMean === undefined || this.inputStd === undefined) return false;
    const [mean, std] = [await this.inputMean.read(), await this.inputStd.read()];
    return mean.every((value) => value === 0) && std.every((value) => value === 1);
  }

  /**
   * What the encoder takes, and the units of answers where they have some.
   * @param inputs [b, l, channels] or [b, channels]; with a mask of what is there, its channels behind
   * @param lengths tokens of each row that count
   */
  take(inputs: Tensor, lengths?: Int32Array): { readonly x: Tensor; readonly scale: Scale | undefined } {
    if (this.normalize === "none" && !this.#mask) return { x: inputs, scale: undefined };
    const values = this.#mask ? sliceAxis(inputs, -1, 0, this.#channels) : inputs;
    const there = this.#mask ? sliceAxis(inputs, -1, this.#channels, this.#channels) : undefined;
    const own = this.normalize === "sequence" ? ofSequence(values, there, lengths) : this.#ofData();
    const seen = own === undefined ? values : div(sub(values, own.mean), own.std);
    const x = there === undefined ? seen : concat([mul(seen, there), there], inputs.shape.length - 1);
    return { x, scale: this.#answers ? this.#scaleOfAnswers(own) : undefined };
  }

  #ofData(): Scale | undefined {
    return this.inputMean && this.inputStd && { mean: this.inputMean.value, std: this.inputStd.value };
  }

  #scaleOfAnswers(own: Scale | undefined): Scale | undefined {
    if (this.normalize === "sequence") return own;
    return this.outputMean && this.outputStd && { mean: this.outputMean.value, std: this.outputStd.value };
  }
}

/** Puts answers back. @param output [b, outputs], [b, l, outputs], [b, horizon, channels] or [b, horizon, channels, quantiles] */
export function inUnits(output: Tensor, scale: Scale | undefined): Tensor {
  if (scale === undefined) return output;
  const { mean, std } = fitted(scale, output.shape.length);
  return add(mul(output, std), mean);
}

/** Values in the units of the layers, as the head gives its answers: the inverse of `inUnits`. */
export function fromUnits(values: Tensor, scale: Scale | undefined): Tensor {
  if (scale === undefined) return values;
  const { mean, std } = fitted(scale, values.shape.length);
  return div(sub(values, mean), std);
}

/** Of one sequence [b, 1, channels]: without its tokens for one answer a row, with an axis for quantiles behind. */
function fitted({ mean, std }: Scale, rank: number): Scale {
  const reshaped = (t: Tensor): Tensor => {
    const channels = t.shape.at(-1)!;
    const rows = t.shape.length === 3 ? [t.shape[0]!] : [];
    if (rank === 4) return reshape(t, [...(rows.length > 0 ? [...rows, 1] : []), channels, 1]);
    return rank === 2 && rows.length > 0 ? reshape(t, [...rows, channels]) : t;
  };
  return { mean: reshaped(mean), std: reshaped(std) };
}

/** Mean and deviation of each row's channels over what is there, [b, 1, channels]. */
function ofSequence(values: Tensor, there: Tensor | undefined, lengths: Int32Array | undefined): Scale {
  const [b, l, channels] = values.shape as [number, number, number];
  const within = lengths && countedTokens(b, l, lengths, values.backend); // [b, l, 1]
  const counted = there === undefined ? within : within === undefined ? there : mul(there, within);
  const total = (x: Tensor): Tensor => reshape(sum(counted === undefined ? x : mul(x, counted), 1), [b, 1, channels]);
  const count = counted === undefined ? undefined : reshape(sum(counted, 1), [b, 1, counted.shape[2]!]);
  const over =
    count === undefined ? tensor(Float32Array.of(l), [1, 1, 1], { backend: values.backend }) : maximum(count, 1);
  const mean = div(total(values), over);
  const variance = div(total(square(sub(values, mean))), over);
  const least = square(add(mul(abs(mean), LEAST_SHARE), LEAST));
  return { mean, std: sqrt(add(variance, least)) };
}
