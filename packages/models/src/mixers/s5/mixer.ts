import {
  add,
  ArgumentError,
  exp,
  gelu,
  linear,
  minimum,
  mul,
  reshape,
  sigmoid,
  stack,
  tensor,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { copy, diagonalScan } from "@statespace/core/ops";
import { complexMap, complexMulT, complexParts, interleave } from "../../layers/complexTensor.ts";
import { DerivedSet } from "../../layers/derivedSet.ts";
import { discretizeDiagonalT } from "../../layers/diagonalDiscretize.ts";
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
import { continuation, gapsAhead } from "../../layers/sequenceBoundaries.ts";
import type { S5Config } from "./config.ts";
import { S5Initializers } from "./init.ts";

/** What a scan takes. */
interface DiscreteInput {
  readonly ABar: Tensor; // [p, 2], or [b, l, p, 2]
  readonly Bu: Tensor; // [b, l, p, 2]
}

/**
 * S5: one diagonal state space model with many inputs and outputs, run by a scan.
 *
 *     ABar, BBar = discretize(Lambda, B, stepRescale exp(logStep))
 *     x_t = ABar x_{t-1} + BBar u_t
 *     y_t = 2 Re(C x_t) + D u_t          (without conjugate symmetry: Re)
 *
 * and, where asked, a gelu and a gate. Bidirectional layers run a second scan from the end and read both with C1 and C2.
 * Source: arXiv 2208.04933; names of the weights as in the public JAX code.
 */
export class S5Mixer implements Mixer {
  readonly kind = "s5";
  readonly constantState = true;
  readonly looksAhead: boolean;
  readonly takesGaps = true;
  readonly config: S5Config;
  readonly parameters: readonly Parameter[];
  readonly LambdaRe: Parameter; // [p]
  readonly LambdaIm: Parameter; // [p]
  readonly B: Parameter; // [p, h, 2]
  readonly C: readonly Parameter[]; // [h, p, 2]: one, or forward and backward
  readonly D: Parameter; // [h]
  readonly logStep: Parameter; // [p, 1]
  readonly out1: Linear | undefined; // [h, h]
  readonly out2: Linear | undefined; // [h, h]
  /** Factor on every step; may be changed between uses (see `S5Config.stepRescale`). */
  stepRescale: number;
  readonly #discrete: DerivedSet<"ABar" | "BBar" | "C0" | "C1">;

  constructor(config: S5Config, build: ParameterBuilder) {
    const { dModel: h, dState, blocks, conjSym, bidirectional, activation, ssmLearningRate } = config;
    if (dState % (2 * blocks) !== 0)
      throw new ArgumentError(`s5: dState must be a multiple of 2 blocks = ${2 * blocks}, got ${dState}`);
    this.config = config;
    this.looksAhead = bidirectional;
    this.stepRescale = config.stepRescale;
    const p = conjSym ? dState / 2 : dState;
    const init = new S5Initializers(config);
    const ssm = { decay: false, ...(ssmLearningRate === undefined ? {} : { learningRate: ssmLearningRate }) };
    this.LambdaRe = build.make("Lambda_re", [p], init.LambdaRe, ssm);
    this.LambdaIm = build.make("Lambda_im", [p], init.LambdaIm, ssm);
    this.B = build.make("B", [p, h, 2], init.B, ssm);
    this.C = (bidirectional ? ["C1", "C2"] : ["C"]).map((name) => build.make(name, [h, p, 2], init.C));
    this.D = build.make("D", [h], normal(1), { decay: false });
    this.logStep = build.make("log_step", [p, 1], init.logStep, ssm);
    const dense = (name: string): Linear => build.linear(name, [h, h], kaimingUniform(h), { bias: true });
    this.out1 = activation === "fullGlu" ? dense("out1") : undefined;
    this.out2 = activation === "none" || activation === "gelu" ? undefined : dense("out2");
    const ssmParameters = [this.LambdaRe, this.LambdaIm, this.B, ...this.C, this.logStep];
    this.parameters = [...ssmParameters, this.D, ...(this.out1?.parameters ?? []), ...(this.out2?.parameters ?? [])];
    this.#discrete = new DerivedSet(ssmParameters, () => this.#discretize());
  }

  /** States kept: half of dState with conjugate symmetry. */
  get p(): number {
    return this.LambdaRe.shape[0]!;
  }

  initialState(batch: number): LayerState {
    this.#expectCausal("initialState");
    return { ssm: zeros([batch, this.p, 2], { backend: this.D.backend }) };
  }

  forward(u: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx, gaps } = forwardOptions(options);
    if (initialState !== undefined || returnState) this.#expectCausal("forward with a state");
    const { y, ssm } = tidy(() => {
      const [b, l] = u.shape as [number, number];
      const { ABar, BBar, C0, C1 } = this.#discrete.get(String(this.stepRescale));
      const even = (): DiscreteInput => ({ ABar, Bu: reshape(linear({ x: u, weight: BBar }).y, [b, l, this.p, 2]) });
      const { Bu, ABar: decays } = gaps === undefined ? even() : this.#uneven(u, gaps);
      const { states, lastState } = diagonalScan(
        { ABar: this.#decays(decays, b, l, seqIdx, false), Bu, initialState: initialState?.ssm },
        { returnLastState: returnState },
      );
      let out = linear({ x: reshape(states, [b, l, 2 * this.p]), weight: C0 }).y;
      if (this.config.bidirectional) {
        const back = gaps === undefined ? { ABar, Bu } : this.#uneven(u, gapsAhead(gaps));
        const backward = diagonalScan(
          { ABar: this.#decays(back.ABar, b, l, seqIdx, true), Bu: back.Bu },
          { reverse: true },
        ).states;
        out = add(out, linear({ x: reshape(backward, [b, l, 2 * this.p]), weight: C1 }).y);
      }
      return { y: this.#finish(add(out, mul(u, this.D.value))), ...(lastState ? { ssm: lastState } : {}) } as {
        y: Tensor;
        ssm?: Tensor;
      };
    });
    return ssm ? { y, state: { ssm } } : { y };
  }

  step(u: Tensor, state: LayerState): Tensor {
    this.#expectCausal("step");
    return tidy(() => {
      const b = u.shape[0]!;
      const { ABar, BBar, C0 } = this.#discrete.get(String(this.stepRescale));
      const Bu = reshape(linear({ x: u, weight: BBar }).y, [b, 1, this.p, 2]);
      const { states } = diagonalScan({ ABar, Bu, initialState: state.ssm! });
      copy({ destination: state.ssm!, source: reshape(states, [b, this.p, 2]) });
      const out = linear({ x: reshape(states, [b, 2 * this.p]), weight: C0 }).y;
      return this.#finish(add(out, mul(u, this.D.value)));
    });
  }

  /** ABar [p, 2]; BBar as the weight of a real projection, [2 p, h]; C as that of the way back, [h, 2 p]. */
  #discretize(): Record<"ABar" | "BBar" | "C0" | "C1", Tensor> {
    const { p } = this;
    const h = this.config.dModel;
    const re = this.config.clipEigs ? minimum(this.LambdaRe.value, -1e-4) : this.LambdaRe.value;
    const delta = mul(exp(reshape(this.logStep.value, [p])), this.stepRescale); // [p]
    const { ABar, gain } = discretizeDiagonalT(this.config.discretization, { re, im: this.LambdaIm.value }, delta);
    const BBar = complexMulT(
      complexMap(gain, (part) => reshape(part, [p, 1])),
      complexParts(this.B.value),
    ); // [p, h]
    const pairs = this.config.conjSym ? 2 : 1;
    const signs = tensor([pairs, -pairs], [2], { backend: this.D.backend });
    const readOut = (C: Parameter): Tensor => reshape(mul(C.value, signs), [h, 2 * p]);
    return {
      ABar: interleave(ABar),
      BBar: reshape(stack([BBar.re, BBar.im], 1), [2 * p, h]),
      C0: readOut(this.C[0]!),
      C1: readOut(this.C.at(-1)!),
    };
  }

  /**
   * Steps of a length of their own: delta times the time since the token before, discretized for each token.
   * @param gaps [b, l] @returns ABar [b, l, p, 2]; Bu [b, l, p, 2]
   * Source: arXiv 2208.04933, section 6.3 and appendix G.6 (pendulum): irregularly sampled sequences.
   */
  #uneven(u: Tensor, gaps: Tensor): DiscreteInput {
    const { p } = this;
    const h = this.config.dModel;
    const [b, l] = gaps.shape as [number, number];
    const re = this.config.clipEigs ? minimum(this.LambdaRe.value, -1e-4) : this.LambdaRe.value;
    const usual = mul(exp(reshape(this.logStep.value, [p])), this.stepRescale);
    const delta = mul(reshape(gaps, [b, l, 1]), usual); // [b, l, p]
    const { ABar, gain } = discretizeDiagonalT(this.config.discretization, { re, im: this.LambdaIm.value }, delta);
    const weight = reshape(transpose(this.B.value, [0, 2, 1]), [2 * p, h]);
    const written = complexParts(reshape(linear({ x: u, weight }).y, [b, l, p, 2]));
    return { ABar: interleave(ABar), Bu: interleave(complexMulT(gain, written)) };
  }

  /** Inside packed rows the decay is 0 where a sequence starts. */
  #decays(ABar: Tensor, b: number, l: number, seqIdx: Tensor | undefined, reverse: boolean): Tensor {
    if (seqIdx === undefined) return ABar;
    return mul(
      reshape(continuation(seqIdx, reverse), [b, l, 1, 1]),
      ABar.shape.length === 4 ? ABar : reshape(ABar, [1, 1, this.p, 2]),
    );
  }

  #finish(y: Tensor): Tensor {
    const { activation } = this.config;
    if (activation === "none") return y;
    const x = gelu(y);
    if (this.out2 === undefined) return x;
    return mul(this.out1?.apply(x) ?? (activation === "halfGlu1" ? x : y), sigmoid(this.out2.apply(x)));
  }

  #expectCausal(use: string): void {
    if (this.config.bidirectional)
      throw new ArgumentError(`s5: a bidirectional layer has no ${use}: it needs the whole sequence`);
  }

  dispose(): void {
    this.#discrete.dispose();
  }
}
