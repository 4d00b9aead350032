import { embedding, linear, noGrad, ShapeError, type Parameter, type Tensor } from "@statespace/core";
import { isDifferentiated } from "@statespace/core/backend";
import { kaimingUniform, normal } from "../layers/initializers.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { times } from "../layers/times.ts";
import { inputWidth, type EncoderConfig } from "./ends.ts";

/** What makes the residual stream of the inputs. */
export class Encoder {
  readonly weight: Parameter; // [v, dModel], or [dModel, channels]
  readonly bias: Parameter | undefined; // [dModel]
  readonly #config: EncoderConfig;

  /** @param std standard deviation of a new embedding */
  constructor(config: EncoderConfig, dModel: number, std: number, build: ParameterBuilder) {
    this.#config = config;
    if (config.kind === "embedding") {
      this.weight = build.matrix("weight", [config.vocabSize, dModel], normal(std));
      return;
    }
    const width = inputWidth(config);
    this.weight = build.matrix("weight", [dModel, width], kaimingUniform(width));
    // Not zeros: where the input is zero too, so is the whole stream, and each norm would scale gradients by 1/sqrt(eps).
    this.bias = build.make("bias", [dModel], kaimingUniform(width), { decay: false });
  }

  /** @param inputs int32 [...], or float32 [..., channels]; `rank` axes in all for vectors @returns [..., dModel] */
  apply(inputs: Tensor, rank: number): Tensor {
    const config = this.#config;
    if (config.kind === "embedding") return times(this.#lookUp(inputs), config.multiplier ?? 1);
    if (inputs.shape.length !== rank)
      throw new ShapeError(
        `encoder: inputs must be [${rank === 3 ? "b, l" : "b"}, channels = ${inputWidth(config)}], got [${inputs.shape.join(", ")}]`,
      );
    return linear({ x: inputs, weight: this.weight.value, bias: this.bias!.value }).y;
  }

  /** A table that gets no gradient may be packed. */
  #lookUp(ids: Tensor): Tensor {
    const weight = this.weight.value;
    const look = (): Tensor => embedding({ ids, weight }).y;
    return isDifferentiated({ weight }) ? look() : noGrad(look);
  }
}
