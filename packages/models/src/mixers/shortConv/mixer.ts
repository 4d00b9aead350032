import { causalConv1d, mul, reshape, split, tidy, zeros, type Parameter, type Tensor } from "@statespace/core";
import { causalConv1dStep } from "@statespace/core/ops";
import { kaimingUniform } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { ShortConvConfig } from "./config.ts";

/**
 * A gated short convolution: what the input lets in, averaged over a few tokens, and what it lets out.
 *
 *     B, C, x = inProj(input)
 *     output  = outProj(C conv(B x))
 *
 * Source: the convolution blocks of LFM2 (arXiv 2511.23404).
 */
export class ShortConvMixer implements Mixer {
  readonly kind: string = "shortConv";
  readonly constantState = true;
  readonly config: ShortConvConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [3 d, d]
  readonly convWeight: Parameter; // [d, 1, k]
  readonly convBias: Parameter | undefined; // [d]
  readonly outProj: Linear; // [d, d]

  constructor(config: ShortConvConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel: d, dConv: k, useBias } = config;
    const own = { decay: false };
    this.inProj = build.linear("in_proj", [3 * d, d], kaimingUniform(d), { bias: useBias });
    this.convWeight = build.make("conv1d.weight", [d, 1, k], kaimingUniform(k));
    this.convBias = useBias ? build.make("conv1d.bias", [d], kaimingUniform(k), own) : undefined;
    this.outProj = build.linear("out_proj", [d, d], build.ontoResidual(kaimingUniform(d)), { bias: useBias });
    this.parameters = [...this.inProj.parameters, this.convWeight, this.convBias, ...this.outProj.parameters].filter(
      (parameter) => parameter !== undefined,
    );
  }

  initialState(batch: number): LayerState {
    const { dModel: d, dConv: k } = this.config;
    return { conv: zeros([batch, k - 1, d], { backend: this.inProj.backend }) };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx } = forwardOptions(options);
    const { y, conv } = tidy(() => {
      const { x, C } = this.#project(input);
      const convolved = causalConv1d(
        { x, weight: this.#taps(), bias: this.convBias?.value, initialState: initialState?.conv, seqIdx },
        { returnLastState: returnState },
      );
      return { y: this.#output(C, convolved.y), ...(returnState ? { conv: convolved.lastState! } : {}) };
    }) as { y: Tensor; conv?: Tensor };
    return returnState ? { y, state: { conv: conv! } } : { y };
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const { x, C } = this.#project(input);
      const { y } = causalConv1dStep({ x, state: state.conv!, weight: this.#taps(), bias: this.convBias?.value });
      return this.#output(C, y);
    });
  }

  /** B x and C, [..., d] each. */
  #project(input: Tensor): { x: Tensor; C: Tensor } {
    const { dModel: d } = this.config;
    const y = this.inProj.apply(input);
    const [B, C, x] = split(y, [d, d, d]) as [Tensor, Tensor, Tensor];
    return { x: mul(B, x), C };
  }

  #output(C: Tensor, convolved: Tensor): Tensor {
    return this.outProj.apply(mul(C, convolved));
  }

  /** The convolution's weight without the middle axis of PyTorch's grouped layout. */
  #taps(): Tensor {
    return reshape(this.convWeight.value, [this.config.dModel, this.config.dConv]);
  }
}
