import {
  add,
  ArgumentError,
  concat,
  gelu,
  mul,
  pad,
  reshape,
  sigmoid,
  split,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { copy, fftConv, reverse, sliceAxis } from "@statespace/core/ops";
import { kaimingUniform, normal } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { S4Config } from "./config.ts";
import { DiagonalKernel } from "./diagonal.ts";
import { DplrKernel } from "./dplr.ts";
import type { S4Kernel } from "./kernel.ts";

/**
 * S4, S4D and DSS: one state space model a channel, trained as a long convolution and decoded as a recurrence.
 *
 *     y = gelu( K * u + D u ),   output = a sigmoid(b) with (a, b) = W y + bias
 *
 * Bidirectional blocks add a second filter over the tokens ahead, the present one excluded (as the official code has it).
 * Source: arXiv 2111.00396 (S4), 2206.11893 (S4D), 2203.14343 (DSS); names of the weights as in the official S4Block.
 */
export class S4Mixer implements Mixer {
  readonly kind: string;
  readonly constantState = true;
  readonly looksAhead: boolean;
  /** Of diagonal ones that look back alone. */
  readonly takesGaps: boolean;
  readonly config: S4Config;
  readonly parameters: readonly Parameter[];
  readonly kernel: S4Kernel;
  readonly D: Parameter; // [c, h]
  readonly outLinear: Linear | undefined; // [2 h, c h] (glu) or [h, c h]

  constructor(config: S4Config, build: ParameterBuilder) {
    const { dModel: h, channels: c, mode, discretization, output } = config;
    this.kind = mode === "dplr" ? "s4" : discretization === "dss" ? "dss" : "s4d";
    this.config = config;
    this.looksAhead = config.bidirectional;
    this.takesGaps = mode === "diag" && discretization !== "dss" && !config.bidirectional;
    const layer = build.within("layer");
    this.D = layer.make("D", [c, h], normal(1), { decay: false });
    const inner = layer.within("kernel");
    this.kernel = mode === "dplr" ? new DplrKernel(config, inner) : new DiagonalKernel(config, inner);
    if (output !== "none") {
      const rows = output === "glu" ? 2 * h : h;
      this.outLinear = build.linear("output_linear.0", [rows, c * h], kaimingUniform(c * h), { bias: true });
    }
    this.parameters = [this.D, ...this.kernel.parameters, ...(this.outLinear?.parameters ?? [])];
  }

  /** Sampling rate relative to the training data's; may be changed between uses. */
  get rate(): number {
    return this.kernel.rate;
  }
  set rate(value: number) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new ArgumentError(`${this.kind}: rate must be positive, got ${value}`);
    this.kernel.rate = value;
  }

  initialState(batch: number): LayerState {
    this.#expectCausal("initialState");
    return { ssm: zeros([batch, this.config.dModel, this.config.dState / 2, 2], { backend: this.D.backend }) };
  }

  forward(u: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx, gaps } = forwardOptions(options);
    if (seqIdx !== undefined)
      throw new ArgumentError(
        `${this.kind}: a convolution cannot restart inside a row; packed sequences (seqIdx) need a scanned mixer such as s5`,
      );
    if (initialState !== undefined || returnState) this.#expectCausal("forward with a state");
    if (gaps !== undefined) return this.#uneven(u, gaps, options);
    const { y, ssm } = tidy(() => {
      const { channels: c, bidirectional } = this.config;
      const l = u.shape[1]!;
      const K = this.kernel.filter(l); // [c, h, l], twice as many when bidirectional
      const repeated = c === 1 ? u : concat(Array<Tensor>(c).fill(u), 2); // [b, l, c h]
      const ahead = bidirectional ? this.#lookAhead(repeated, sliceAxis(K, 0, c, c)) : undefined;
      let out = fftConv({ u: repeated, k: reshape(sliceAxis(K, 0, 0, c), [-1, l]), D: reshape(this.D.value, [-1]) }).y;
      if (ahead) out = add(out, ahead);
      if (initialState) out = add(out, this.#carried(initialState.ssm!, l));
      return { y: this.#finish(out), ...(returnState ? { ssm: this.kernel.lastState(u, initialState?.ssm) } : {}) } as {
        y: Tensor;
        ssm?: Tensor;
      };
    });
    return ssm ? { y, state: { ssm } } : { y };
  }

  /** Tokens at times of their own. */
  #uneven(u: Tensor, gaps: Tensor, { initialState, returnState }: ForwardOptions): ForwardResult {
    const { kernel } = this;
    if (kernel.uneven === undefined || !this.takesGaps)
      throw new ArgumentError(
        `${this.kind}: steps of one length are needed; s4d that looks back alone, s5, mamba and mamba2 take gaps`,
      );
    const { y, ssm } = tidy(() => {
      const [b, l, h] = u.shape as [number, number, number];
      const scanned = kernel.uneven!(u, gaps, initialState?.ssm);
      const skip = mul(reshape(u, [b, l, 1, h]), this.D.value);
      return { y: this.#finish(reshape(add(scanned.y, skip), [b, l, -1])), ssm: scanned.lastState };
    });
    if (returnState) return { y, state: { ssm } };
    ssm.dispose();
    return { y };
  }

  step(u: Tensor, state: LayerState): Tensor {
    this.#expectCausal("step");
    return tidy(() => {
      const { next, y } = this.kernel.step(u, state.ssm!); // y [b, c, h]
      copy({ destination: state.ssm!, source: next });
      const skip = mul(reshape(u, [u.shape[0]!, 1, this.config.dModel]), this.D.value);
      return this.#finish(reshape(add(y, skip), [u.shape[0]!, -1]));
    });
  }

  /** What the state at the start adds to every later output: [b, l, c h]. */
  #carried(state: Tensor, l: number): Tensor {
    const K = this.kernel.stateFilter(state, l); // [b, c, h, l]
    return reshape(transpose(K, [0, 3, 1, 2]), [state.shape[0]!, l, -1]);
  }

  /** sum_j K_j u_{t+1+j}. */
  #lookAhead(u: Tensor, K: Tensor): Tensor {
    const l = u.shape[1]!;
    const present = reverse(fftConv({ u: reverse(u, 1), k: reshape(K, [-1, l]) }).y, 1); // sum_j K_j u_{t+j}
    return pad(sliceAxis(present, 1, 1, l - 1), [
      [0, 0],
      [0, 1],
      [0, 0],
    ]);
  }

  #finish(y: Tensor): Tensor {
    const active = this.config.activation === "gelu" ? gelu(y) : y;
    if (this.outLinear === undefined) return active;
    const projected = this.outLinear.apply(active);
    if (this.config.output === "linear") return projected;
    const { dModel } = this.config;
    const [value, gate] = split(projected, [dModel, dModel]) as [Tensor, Tensor];
    return mul(value, sigmoid(gate));
  }

  #expectCausal(use: string): void {
    if (this.config.bidirectional)
      throw new ArgumentError(`${this.kind}: a bidirectional block has no ${use}: it needs the whole sequence`);
  }

  dispose(): void {
    this.kernel.dispose();
  }
}
