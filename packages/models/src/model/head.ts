import { gather, mul, reshape, ShapeError, sum, tanh, tensor, type Parameter, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { kaimingUniform } from "../layers/initializers.ts";
import { Linear } from "../layers/linear.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { times } from "../layers/times.ts";
import { framingOf, maskOf } from "../sound/framing.ts";
import type { HeadConfig } from "./ends.ts";

/** How the tokens of a sequence become one vector, or stay as they are. */
export type Pooling = "mean" | "last" | "none";

/** The pooling of a head. */
export function poolingOf(head: HeadConfig): Pooling {
  if (head.kind === "language" || head.kind === "denoising") return "none";
  if (head.kind === "forecasting") return "last";
  return head.pooling ?? "mean";
}

/** Numbers that a head other than a language model's answers at once. */
function outputsOf(head: Exclude<HeadConfig, { kind: "language" }>): number {
  switch (head.kind) {
    case "classification":
      return head.classes;
    case "regression":
      return head.outputs;
    case "forecasting":
      return head.horizon * head.channels * (head.quantiles?.length ?? 1);
    case "denoising":
      return maskOf(framingOf(head));
  }
}

/** A projection of pooled tokens. */
export class Head {
  readonly linear: Linear; // [outputs, dModel]
  readonly #config: HeadConfig;

  /**
   * @param table the embedding, which a tied language head shares
   * @param build of the whole model: the head is a projection of it
   */
  constructor(config: HeadConfig, dModel: number, table: Parameter | undefined, build: ParameterBuilder) {
    this.#config = config;
    if (config.kind === "language") {
      const shape = [table!.shape[0]!, dModel] as const;
      this.linear = config.tie ? new Linear(table!, undefined) : build.linear("head", shape, kaimingUniform(dModel));
      return;
    }
    this.linear = build.linear("head", [outputsOf(config), dModel], kaimingUniform(dModel), { bias: true });
  }

  get weight(): Parameter {
    return this.linear.weight;
  }

  /** @param x [..., dModel] @returns [..., outputs], for forecasting [..., horizon, channels], and the quantiles of each where there are some */
  apply(x: Tensor): Tensor {
    const y = this.linear.apply(x);
    const config = this.#config;
    if (config.kind === "language") return capped(times(y, config.multiplier ?? 1), config.logitCap);
    if (config.kind !== "forecasting") return y;
    const { horizon, channels, quantiles } = config;
    return reshape(y, [...y.shape.slice(0, -1), horizon, channels, ...(quantiles ? [quantiles.length] : [])]);
  }
}

/** cap tanh(y / cap). */
function capped(y: Tensor, cap: number | undefined): Tensor {
  return cap === undefined ? y : mul(tanh(mul(y, 1 / cap)), cap);
}

/** @throws ShapeError unless there is one length in 1..l for each row. */
export function checkLengths(lengths: Int32Array, b: number, l: number): void {
  const fits = lengths.length === b && lengths.every((length) => length >= 1 && length <= l);
  if (!fits) throw new ShapeError(`lengths: must be ${b} whole numbers in 1..${l}, got [${lengths.join(", ")}]`);
}

/**
 * The last token that counts of every row.
 * @param x [b, l, d] @returns [b, d]
 */
export function lastToken(x: Tensor, lengths: Int32Array | undefined): Tensor {
  const [b, l, d] = x.shape as [number, number, number];
  if (lengths === undefined) return reshape(sliceAxis(x, 1, l - 1, 1), [b, d]);
  const last = tensor(
    lengths.map((length, i) => i * l + length - 1),
    [b],
    { backend: x.backend },
  );
  return gather(reshape(x, [b * l, d]), last);
}

/** The sum over the tokens that count. @param x [b, l, d] @returns [b, d] */
export function sumOfTokens(x: Tensor, lengths: Int32Array | undefined): Tensor {
  if (lengths === undefined) return sum(x, 1);
  const [b, l] = x.shape as [number, number, number];
  return sum(mul(x, countedTokens(b, l, lengths, x.backend)), 1);
}

/** 1 at the tokens that count, [b, l, 1]. */
export function countedTokens(b: number, l: number, lengths: Int32Array, backend: Tensor["backend"]): Tensor {
  const counts = Float32Array.from({ length: b * l }, (_, i) => (i % l < lengths[Math.floor(i / l)]! ? 1 : 0));
  return tensor(counts, [b, l, 1], { backend });
}
