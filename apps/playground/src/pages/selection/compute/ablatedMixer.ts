import {
  add,
  causalConv1d,
  gelu,
  keep,
  linear,
  ones,
  reshape,
  selectiveScan,
  softplus,
  tidy,
  type Tensor,
} from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { MambaMixer, type ForwardOptions, type ForwardResult } from "@statespace/models";
import { MAMBA, type Selects } from "./selects.ts";

/** What the scan of one layer was fed, step by step. */
export interface Selection {
  readonly u: Tensor; // [b, l, d]
  readonly delta: Tensor; // [b, l, d], after softplus
  readonly B: Tensor; // [b, l, n]
  readonly C: Tensor; // [b, l, n]
}

/**
 * The Mamba mixer with parts of its selection switched off. A part that is off comes from the same projection, fed with ones instead of
 * the token: it is learned, with as many weights, but the same at every step.
 * Source: the ablations of tables 6 and 7 in Gu and Dao 2023 (arXiv 2312.00752).
 */
export class AblatedMixer extends MambaMixer {
  override readonly kind: string = "mamba-ablated";
  selects: Selects = MAMBA;
  /** When set, the next forward pass leaves what the scan was fed here. */
  recording = false;
  recorded: Selection | undefined;

  override select(u: Tensor): { delta: Tensor; B: Tensor; C: Tensor } {
    const { selects } = this;
    if (selects.delta && selects.B && selects.C) return this.#record(u, super.select(u));
    const blind = super.select(ones(u.shape, { backend: u.backend }));
    if (!selects.delta && !selects.B && !selects.C) return this.#record(u, blind);
    const seen = super.select(u);
    return this.#record(u, {
      delta: (selects.delta ? seen : blind).delta,
      B: (selects.B ? seen : blind).B,
      C: (selects.C ? seen : blind).C,
    });
  }

  override forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    return this.selects.gate ? super.forward(input, options) : { y: tidy(() => this.#forwardWithoutGate(input)) };
  }

  #forwardWithoutGate(input: Tensor): Tensor {
    const { dInner: d, dConv } = this.config;
    const x = linear({ x: input, weight: sliceAxis(this.inProj.weight.value, 0, 0, d) }).y; // [b, l, d]
    const u = causalConv1d(
      { x, weight: reshape(this.convWeight.value, [d, dConv]), bias: this.convBias?.value },
      { silu: true },
    ).y;
    const { delta, B, C } = this.select(u);
    const { y } = selectiveScan(
      { u, delta, A: this.A, B, C, D: this.D.value, deltaBias: this.dtBias.value },
      { deltaSoftplus: true },
    );
    return linear({ x: gelu(y), weight: this.outProj.weight.value }).y;
  }

  #record(u: Tensor, parts: { delta: Tensor; B: Tensor; C: Tensor }): { delta: Tensor; B: Tensor; C: Tensor } {
    if (this.recording) {
      const delta = softplus(add(parts.delta, this.dtBias.value));
      const own = (t: Tensor): Tensor => keep(reshape(t, t.shape));
      this.recorded = { u: own(u), delta: keep(delta), B: own(parts.B), C: own(parts.C) };
    }
    return parts;
  }
}
