import { refuseUnknown } from "../options/index.ts";
import { ShapeError } from "../errors.ts";
import { complexAbs, complexAt } from "../math/complex.ts";
import { eigenvalues } from "../math/eigenvalues.ts";
import { fftConvolve } from "../math/fft.ts";
import { Matrix } from "../math/matrix.ts";

/** One vector for each step: inputs [l, m] or outputs [l, p]. */
export type Sequence = readonly Float64Array[];

/** Outputs of a whole sequence and the state after it. */
export interface SequenceResult {
  outputs: Float64Array[]; // [l, p]
  finalState: Float64Array; // [n]
}

/**
 * A discrete-time linear state space model:
 *
 *   x_k = ABar x_{k-1} + BBar u_k
 *   y_k = C x_k + D u_k
 *
 * It can be run as a recurrence (`scan`, `step`) or as a convolution with its filter C BBar, C ABar BBar, ... (`convolve`): the same map.
 * Source: S4 (arXiv 2111.00396) equations 3 to 5.
 */
export class DiscreteSsm {
  readonly ABar: Matrix; // [n, n]
  readonly BBar: Matrix; // [n, m]
  readonly C: Matrix; // [p, n]
  readonly D: Matrix; // [p, m]

  constructor(ABar: Matrix, BBar: Matrix, C: Matrix, D: Matrix = new Matrix(C.rows, BBar.cols)) {
    const fits =
      ABar.rows === ABar.cols &&
      BBar.rows === ABar.rows &&
      C.cols === ABar.rows &&
      D.rows === C.rows &&
      D.cols === BBar.cols;
    if (!fits) {
      const shapes = [ABar, BBar, C, D].map((M) => `[${M.rows}, ${M.cols}]`).join(", ");
      throw new ShapeError(`DiscreteSsm: ABar, BBar, C, D must be [n, n], [n, m], [p, n], [p, m], got ${shapes}`);
    }
    this.ABar = ABar;
    this.BBar = BBar;
    this.C = C;
    this.D = D;
  }

  /** One step of the recurrence: the new state [n] and the output [p] for an input [m]. */
  step(state: Float64Array, u: Float64Array): { state: Float64Array; output: Float64Array } {
    const drive = this.BBar.apply(u);
    const next = this.ABar.apply(state).map((x, i) => x + drive[i]);
    const direct = this.D.apply(u);
    return { state: next, output: this.C.apply(next).map((y, i) => y + direct[i]) };
  }

  /** The recurrent view: O(l n^2). The state starts at 0 unless given, and the final one continues the sequence. */
  scan(inputs: Sequence, initialState?: Float64Array): SequenceResult {
    expectSequence("scan", inputs, this.BBar.cols);
    let state = expectState("scan", initialState, this.ABar.rows);
    const outputs = inputs.map((u) => {
      const stepped = this.step(state, u);
      state = stepped.state;
      return stepped.output;
    });
    return { outputs, finalState: state };
  }

  /** The filter (the paper's K bar): C BBar, C ABar BBar, C ABar^2 BBar, ...; `length` matrices [p, m]. */
  ssmFilter(length: number): Matrix[] {
    const filter: Matrix[] = [];
    let response = this.BBar; // ABar^k BBar
    for (let k = 0; k < length; k++) {
      filter.push(this.C.times(response));
      response = this.ABar.times(response);
    }
    return filter;
  }

  /**
   * The convolutional view: y = K * u + D u, plus C ABar^{k+1} x_0 for an initial state.
   * `fft` multiplies spectra in O(l log l), `direct` sums in O(l^2).
   */
  convolve(inputs: Sequence, options: { method?: "fft" | "direct"; initialState?: Float64Array } = {}): Float64Array[] {
    refuseUnknown("convolve", options, ["method", "initialState"]);
    expectSequence("convolve", inputs, this.BBar.cols);
    const l = inputs.length;
    const filter = this.ssmFilter(l);
    const outputs = this.freeResponse(expectState("convolve", options.initialState, this.ABar.rows), l);
    const convolution = options.method === "direct" ? directConvolve : fftConvolve;
    for (let j = 0; j < this.BBar.cols; j++) {
      const u = Float64Array.from(inputs, (input) => input[j]);
      for (let i = 0; i < this.C.rows; i++) {
        const y = convolution(
          Float64Array.from(filter, (K) => K.at(i, j)),
          u,
          l,
        );
        for (let t = 0; t < l; t++) outputs[t][i] += y[t] + this.D.at(i, j) * u[t];
      }
    }
    return outputs;
  }

  /** What a state does by itself: C ABar^{k+1} x_0 for k < length. */
  private freeResponse(state: Float64Array, length: number): Float64Array[] {
    let x = state;
    return Array.from({ length }, () => {
      x = this.ABar.apply(x);
      return this.C.apply(x);
    });
  }

  /** The poles: eigenvalues of ABar, [n, 2] interleaved. */
  poles(): Float64Array {
    return eigenvalues(this.ABar);
  }

  /** True when every pole lies inside the unit circle, so that the state forgets. */
  isStable(): boolean {
    const poles = this.poles();
    return poles.every((_, i) => i % 2 === 1 || complexAbs(complexAt(poles, i / 2)) < 1);
  }
}

function directConvolve(a: Float64Array, b: Float64Array, length: number): Float64Array {
  const out = new Float64Array(length);
  for (let t = 0; t < length; t++) for (let j = 0; j <= t; j++) out[t] += a[j] * b[t - j];
  return out;
}

/** @throws ShapeError unless every input has m values. */
export function expectSequence(op: string, inputs: Sequence, m: number): void {
  const wrong = inputs.findIndex((u) => u.length !== m);
  if (wrong >= 0)
    throw new ShapeError(
      `${op}: inputs must be [l, m] = [${inputs.length}, ${m}], got ${inputs[wrong].length} values at ${wrong}`,
    );
}

/** A copy of the initial state, or zeros. @throws ShapeError unless it has n values. */
export function expectState(op: string, state: Float64Array | undefined, n: number): Float64Array {
  if (state && state.length !== n)
    throw new ShapeError(`${op}: initialState must be [n] = [${n}], got [${state.length}]`);
  return state ? state.slice() : new Float64Array(n);
}
