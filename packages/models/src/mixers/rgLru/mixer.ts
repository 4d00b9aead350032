import {
  add,
  causalConv1d,
  concat,
  exp,
  matMul,
  mul,
  ones,
  reshape,
  sigmoid,
  softplus,
  split,
  sub,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { causalConv1dStep, copy, sliceAxis } from "@statespace/core/ops";
import { activations } from "../../layers/activations.ts";
import { constant, kaimingUniform, normal, type Initializer } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import { continuation } from "../../layers/sequenceBoundaries.ts";
import type { RgLruConfig } from "./config.ts";
import { inputScale, realScan } from "./recurrence.ts";

/** The power of a that a wide open recurrence gate means. */
const POWER = 8;
/** Variance of a new gate's answer; RecurrentGemma's. */
const GATE_VARIANCE = 0.01;

/** What the gates make of each token. */
interface Gated {
  /** The decay of the state, [..., d]. */
  readonly a: Tensor;
  /** What goes in, before it is scaled, [..., d]. */
  readonly input: Tensor;
  /** sqrt(1 - a^2), [..., d]. */
  readonly scale: Tensor;
}

/**
 * A real-gated linear recurrent unit behind a convolution, beside a gate: the recurrent block of Griffin and RecurrentGemma.
 *
 *     x, y   = inProj(input)
 *     x      = conv(x)
 *     r, i   = sigmoid(recurrentGate(x)), sigmoid(inputGate(x))       by heads: each sees its own channels
 *     log a  = -8 r softplus(aParam)
 *     h_t    = a_t h_{t-1} + sqrt(1 - a_t^2) i_t x_t                  the first token of a sequence: h_t = i_t x_t
 *     output = outProj(h gelu(y))                                      gelu: `activation`
 *
 * The state remembers whether a token went in, since the first one is not scaled. Source: De et al. 2024 (arXiv 2402.19427), section 2.4; names
 * of the weights as in the published checkpoints. 1 - a^2 is computed without cancellation, and gradients of its root are not cut off at 1,000, as
 * published code cuts them for bfloat16.
 */
export class RgLruMixer implements Mixer {
  readonly kind: string = "rgLru";
  readonly constantState = true;
  readonly config: RgLruConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [2 d, dModel]: x, y
  readonly convWeight: Parameter; // [d, 1, k]
  readonly convBias: Parameter; // [d]
  readonly inputGate: Parameter; // [h, d / h, d / h]: from, to
  readonly inputGateBias: Parameter; // [h, d / h]
  readonly recurrentGate: Parameter; // [h, d / h, d / h]
  readonly recurrentGateBias: Parameter; // [h, d / h]
  readonly aParam: Parameter; // [d]
  readonly outProj: Linear; // [dModel, d]

  constructor(config: RgLruConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, dInner: d, nHeads: h, dConv: k, aInitRange } = config;
    const own = { decay: false };
    const width = d / h;
    const gate = normal(Math.sqrt(GATE_VARIANCE / width));
    const bias = true;
    this.inProj = build.linear("in_proj", [2 * d, dModel], kaimingUniform(dModel), { bias, parts: { x: d, y: d } });
    this.convWeight = build.make("conv1d.weight", [d, 1, k], normal(Math.sqrt(GATE_VARIANCE / k)));
    this.convBias = build.make("conv1d.bias", [d], constant(0), own);
    this.inputGate = build.make("input_gate.weight", [h, width, width], gate);
    this.inputGateBias = build.make("input_gate.bias", [h, width], constant(0), own);
    this.recurrentGate = build.make("recurrent_gate.weight", [h, width, width], gate);
    this.recurrentGateBias = build.make("recurrent_gate.bias", [h, width], constant(0), own);
    this.aParam = build.make("a_param", [d], decays(aInitRange), own);
    this.outProj = build.linear("out_proj", [dModel, d], build.ontoResidual(kaimingUniform(d)), { bias });
    this.parameters = [
      ...this.inProj.parameters,
      this.convWeight,
      this.convBias,
      this.inputGate,
      this.inputGateBias,
      this.recurrentGate,
      this.recurrentGateBias,
      this.aParam,
      ...this.outProj.parameters,
    ];
  }

  initialState(batch: number): LayerState {
    const { dInner: d, dConv: k } = this.config;
    const { backend } = this.inProj;
    return {
      conv: zeros([batch, k - 1, d], { backend }),
      recurrent: zeros([batch, d], { backend }),
      started: zeros([batch, 1], { backend }),
    };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx } = forwardOptions(options);
    const { y, ...state } = tidy(() => {
      const { x, gate } = this.#project(input);
      const convolved = causalConv1d(
        { x, weight: this.#taps(), bias: this.convBias.value, initialState: initialState?.conv, seqIdx },
        { returnLastState: returnState },
      );
      const { a, input: u, scale } = this.#gates(convolved.y);
      const goesOn = followed(u, initialState?.started, seqIdx); // [b, l, 1]
      const { states, last } = realScan(mul(a, goesOn), mul(u, scaled(scale, goesOn)), initialState?.recurrent);
      const output = this.#output(states, gate);
      if (!returnState) return { y: output };
      const started = ones([input.shape[0]!, 1], { backend: input.backend });
      return { y: output, conv: convolved.lastState!, recurrent: last, started };
    }) as { y: Tensor } & Record<string, Tensor>;
    return returnState ? { y, state } : { y };
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const { recurrent, started } = state as { recurrent: Tensor; started: Tensor };
      const { x, gate } = this.#project(input);
      const { y } = causalConv1dStep({ x, state: state.conv!, weight: this.#taps(), bias: this.convBias.value });
      const { a, input: u, scale } = this.#gates(y);
      const next = add(mul(a, recurrent), mul(u, scaled(scale, started)));
      copy({ destination: recurrent, source: next });
      copy({ destination: started, source: ones(started.shape, { backend: started.backend }) });
      return this.#output(next, gate);
    });
  }

  /** The decay of each channel's state at each token, [b, l, d]. */
  inspect(input: Tensor): Readonly<Record<"decay", Tensor>> {
    return tidy(() => {
      const { x } = this.#project(input);
      return { decay: this.#gates(causalConv1d({ x, weight: this.#taps(), bias: this.convBias.value }).y).a };
    });
  }

  #project(input: Tensor): { x: Tensor; gate: Tensor } {
    const { dInner: d } = this.config;
    const [x, gate] = split(this.inProj.apply(input), [d, d]) as [Tensor, Tensor];
    return { x, gate };
  }

  /** @param x [..., d], convolved */
  #gates(x: Tensor): Gated {
    const r = sigmoid(this.#blockwise(x, this.recurrentGate, this.recurrentGateBias));
    const i = sigmoid(this.#blockwise(x, this.inputGate, this.inputGateBias));
    const logA = mul(r, mul(softplus(this.aParam.value), -POWER)); // [..., d]
    return { a: exp(logA), input: mul(x, i), scale: inputScale(logA) };
  }

  /** A projection of each head's channels: [..., d] -> [..., d]. */
  #blockwise(x: Tensor, weight: Parameter, bias: Parameter): Tensor {
    const { dInner: d, nHeads: h } = this.config;
    const tokens = x.size / d;
    const heads = transpose(reshape(x, [tokens, h, d / h]), [1, 0, 2]); // [h, tokens, d / h]
    const y = transpose(matMul(heads, weight.value), [1, 0, 2]);
    return reshape(add(y, bias.value), x.shape);
  }

  #output(states: Tensor, gate: Tensor): Tensor {
    return this.outProj.apply(mul(states, activations[this.config.activation](gate)));
  }

  /** The convolution's weight without the middle axis of PyTorch's grouped layout. */
  #taps(): Tensor {
    return reshape(this.convWeight.value, [this.config.dInner, this.config.dConv]);
  }
}

/** The scale of tokens that follow others; 1 for the first of a sequence. */
function scaled(scale: Tensor, goesOn: Tensor): Tensor {
  return add(mul(scale, goesOn), sub(1, goesOn));
}

/** 1 at tokens that follow others of their sequence, else 0: [b, l, 1]. @param started [b, 1]: whether tokens went before */
function followed(x: Tensor, started: Tensor | undefined, seqIdx: Tensor | undefined): Tensor {
  const [b, l] = x.shape as [number, number];
  const { backend } = x;
  const first = started ?? zeros([b, 1], { backend });
  if (l === 1) return reshape(first, [b, 1, 1]);
  const rest = seqIdx ? sliceAxis(continuation(seqIdx), 1, 1, l - 1) : ones([b, l - 1], { backend });
  return reshape(concat([first, rest], 1), [b, l, 1]);
}

/** Parameters of decays a whose squares are uniform between those of a range: softplus(aParam) = -log a. */
function decays([low, high]: readonly [number, number]): Initializer {
  return (shape, rng) =>
    Float32Array.from({ length: shape[0]! }, () =>
      Math.log(Math.expm1(-0.5 * Math.log(rng.uniform(low ** 2, high ** 2)))),
    );
}
