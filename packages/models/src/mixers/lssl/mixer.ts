import {
  add,
  ArgumentError,
  concat,
  exp,
  gelu,
  matMul,
  mul,
  reshape,
  sigmoid,
  split,
  stack,
  sum,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { copy, fftConv, sliceAxis } from "@statespace/core/ops";
import { makeHippo, type HippoMeasure } from "@statespace/core/hippo";
import { denseFilter, denseLastState } from "../../layers/denseSsm.ts";
import { DerivedSet } from "../../layers/derivedSet.ts";
import { kaimingUniform, normal } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { Initializer } from "../../layers/initializers.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import { continuation } from "../../layers/sequenceBoundaries.ts";
import type { LsslConfig } from "./config.ts";
import { discretizeDense, type DiscreteDense } from "./discretize.ts";

/**
 * The linear state space layer: a dense system for each channel, discretized with a step that is learned.
 *
 *     ABar, BBar = discretize(A, B, delta)
 *     recurrent:      x_t = ABar x_{t-1} + BBar u_t,  y_t = C x_t + D u_t
 *     convolutional:  y = K * u + D u,  K_t = C ABar^t BBar
 *
 * followed by a gelu and a gated projection. Both views give the same outputs, states and gradients; which one runs is `mode`.
 * Source: LSSL (arXiv 2110.13985), sections 3 and 4; A is dense and trained, as in section 3 (the paper's fast version restricts it).
 */
export class LsslMixer implements Mixer {
  readonly kind = "lssl";
  readonly constantState = true;
  readonly config: LsslConfig;
  readonly parameters: readonly Parameter[];
  readonly A: Parameter; // [h, n, n]
  readonly B: Parameter; // [h, n]
  readonly C: Parameter; // [c, h, n]
  readonly D: Parameter; // [c, h]
  readonly logStep: Parameter; // [h, 1]
  readonly outLinear: Linear | undefined; // [2 h, c h] (glu) or [h, c h]
  /** The view that sequences are run in. */
  mode: "recurrent" | "convolutional";
  readonly #discrete: DerivedSet<"ABar" | "BBar">;

  constructor(config: LsslConfig, build: ParameterBuilder) {
    const { dModel: h, dState: n, channels: c, output, ssmLearningRate } = config;
    this.config = config;
    this.mode = config.mode;
    const own = { decay: false, ...(ssmLearningRate === undefined ? {} : { learningRate: ssmLearningRate }) };
    this.A = build.make("A", [h, n, n], config.measure === "random" ? randomA : hippo(config.measure, n, "A"), own);
    this.B = build.make("B", [h, n], config.measure === "random" ? normal(1) : hippo(config.measure, n, "B"), own);
    this.C = build.make("C", [c, h, n], normal(1));
    this.D = build.make("D", [c, h], normal(1), { decay: false });
    this.logStep = build.make(
      "log_step",
      [h, 1],
      (shape, rng) =>
        Float32Array.from({ length: shape[0]! }, () =>
          rng.uniform(Math.log(config.deltaMin), Math.log(config.deltaMax)),
        ),
      own,
    );
    if (output !== "none") {
      const rows = output === "glu" ? 2 * h : h;
      this.outLinear = build.linear("output_linear", [rows, c * h], kaimingUniform(c * h), { bias: true });
    }
    this.parameters = [this.A, this.B, this.C, this.D, this.logStep, ...(this.outLinear?.parameters ?? [])];
    this.#discrete = new DerivedSet([this.A, this.B, this.logStep], () => ({
      ...discretizeDense(config, this.A.value, this.B.value, exp(this.logStep.value)),
    }));
  }

  initialState(batch: number): LayerState {
    return { ssm: zeros([batch, this.config.dModel, this.config.dState], { backend: this.D.backend }) };
  }

  /** ABar [h, n, n] and BBar [h, n]. */
  discrete(): DiscreteDense {
    return this.#discrete.get();
  }

  /** The filters C ABar^t BBar: [c, h, l]. */
  filter(l: number): Tensor {
    return tidy(() => {
      const { ABar, BBar } = this.discrete();
      return reshape(this.#filters(ABar, reshape(BBar, [...BBar.shape, 1]), l), [
        this.config.channels,
        this.config.dModel,
        l,
      ]);
    });
  }

  forward(u: Tensor, options: ForwardOptions = {}): ForwardResult {
    forwardOptions(options);
    const { y, ssm } = tidy(() => {
      const { y: out, ssm: last } = this.mode === "recurrent" ? this.#recur(u, options) : this.#convolve(u, options);
      return { y: this.#finish(out), ...(options.returnState ? { ssm: last! } : {}) } as { y: Tensor; ssm?: Tensor };
    });
    return ssm ? { y, state: { ssm } } : { y };
  }

  step(u: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const system = this.discrete();
      const next = advance(system, transpose(state["ssm"]!, [1, 0, 2]), u);
      copy({ destination: state["ssm"]!, source: transpose(next, [1, 0, 2]) });
      return this.#finish(this.#readOut(next, u));
    });
  }

  /** Token by token. */
  #recur(u: Tensor, { initialState, seqIdx }: ForwardOptions): { y: Tensor; ssm: Tensor } {
    const [b, l, h] = u.shape as [number, number, number];
    const system = this.discrete();
    const kept = seqIdx && continuation(seqIdx); // [b, l]
    let x = initialState
      ? transpose(initialState["ssm"]!, [1, 0, 2])
      : zeros([h, b, this.config.dState], { backend: u.backend }); // [h, b, n]
    const outputs = split(u, Array<number>(l).fill(1), 1).map((token, t) => {
      const ut = reshape(token, [b, h]);
      const before = kept && t > 0 ? mul(x, reshape(sliceAxis(kept, 1, t, 1), [1, b, 1])) : x;
      x = advance(system, before, ut);
      return this.#readOut(x, ut);
    });
    return { y: stack(outputs, 1), ssm: transpose(x, [1, 0, 2]) };
  }

  /** All tokens at once. */
  #convolve(u: Tensor, { initialState, returnState, seqIdx }: ForwardOptions): { y: Tensor; ssm?: Tensor } {
    if (seqIdx !== undefined)
      throw new ArgumentError(
        "lssl: a convolution cannot restart inside a row; run packed sequences (seqIdx) with mode recurrent",
      );
    const { channels: c, dModel: h } = this.config;
    const [b, l] = u.shape as [number, number];
    const { ABar, BBar } = this.discrete();
    const K = reshape(this.#filters(ABar, reshape(BBar, [...BBar.shape, 1]), l), [c * h, l]);
    const repeated = c === 1 ? u : concat(Array<Tensor>(c).fill(u), 2);
    let { y } = fftConv({ u: repeated, k: K, D: reshape(this.D.value, [c * h]) });
    if (initialState) {
      const carried = matMul(ABar, transpose(initialState["ssm"]!, [1, 2, 0])); // [h, n, b]
      y = add(y, reshape(transpose(this.#filters(ABar, carried, l), [3, 2, 0, 1]), [b, l, c * h]));
    }
    return { y, ...(returnState ? { ssm: denseLastState(ABar, BBar, u, initialState?.["ssm"]) } : {}) };
  }

  /** C ABar^t B: [c, h, l, r]. @param B [h, n, r] */
  #filters(ABar: Tensor, B: Tensor, l: number): Tensor {
    const { channels: c, dModel: h, dState: n } = this.config;
    return stack(
      Array.from({ length: c }, (_, i) => denseFilter(reshape(sliceAxis(this.C.value, 0, i, 1), [h, n]), ABar, B, l)),
    );
  }

  /** C x + D u: [b, c h]. @param x [h, b, n] */
  #readOut(x: Tensor, u: Tensor): Tensor {
    const { channels: c, dModel: h, dState: n } = this.config;
    const b = u.shape[0]!;
    const read = sum(mul(reshape(x, [1, h, b, n]), reshape(this.C.value, [c, h, 1, n])), 3); // [c, h, b]
    const skip = mul(reshape(u, [b, 1, h]), this.D.value); // [b, c, h]
    return reshape(add(transpose(read, [2, 0, 1]), skip), [b, c * h]);
  }

  #finish(y: Tensor): Tensor {
    const active = this.config.activation === "gelu" ? gelu(y) : y;
    if (this.outLinear === undefined) return active;
    const projected = this.outLinear.apply(active);
    if (this.config.output === "linear") return projected;
    const [value, gate] = split(projected, [this.config.dModel, this.config.dModel]) as [Tensor, Tensor];
    return mul(value, sigmoid(gate));
  }

  dispose(): void {
    this.#discrete.dispose();
  }
}

/** ABar x + BBar u. @param x [h, b, n] @param u [b, h] */
function advance({ ABar, BBar }: DiscreteDense, x: Tensor, u: Tensor): Tensor {
  const [h, n] = BBar.shape as [number, number];
  const driven = mul(reshape(transpose(u, [1, 0]), [h, -1, 1]), reshape(BBar, [h, 1, n]));
  return add(matMul(x, ABar, false, true), driven);
}

/** The HiPPO system, the same for every channel. */
function hippo(measure: HippoMeasure, n: number, which: "A" | "B"): Initializer {
  return (shape) => {
    const { data } = makeHippo(measure, n)[which];
    return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => data[i % data.length]!);
  };
}

/** A matrix of independent normal numbers whose eigenvalues fill the unit disc, moved to the left of the imaginary axis so that no mode grows. */
const randomA: Initializer = (shape, rng) => {
  const n = shape.at(-1)!;
  return Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => rng.normal() / Math.sqrt(n) - ((i % (n * n)) % (n + 1) === 0 ? 1 : 0),
  );
};
