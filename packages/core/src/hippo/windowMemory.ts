import { bilinear } from "../discretization/bilinear.ts";
import type { Discretization } from "../discretization/discretization.ts";
import { ArgumentError } from "../errors.ts";
import type { Matrix } from "../math/matrix.ts";
import { hippoBasis } from "./basis.ts";
import { makeHippo } from "./transition.ts";

/** The measures that look at a recent past. */
export type WindowMeasure = "legt" | "lagt" | "fourier" | "fout";

/**
 * Online compression of the recent past into n coefficients: a linear time-invariant system, O(n^2) a sample.
 * `window` is in samples: the length of the sliding window of legt and fourier, the e-folding time of lagt's weight exp(-age).
 * Source: HiPPO (arXiv 2008.07669) section 2.3; How to Train Your HiPPO (arXiv 2206.12037) for fourier.
 */
export class WindowMemory {
  readonly measure: WindowMeasure;
  readonly window: number;
  /** Coefficients against the orthonormal basis of the measure. */
  coefficients: Float64Array; // [n]
  private readonly delta: number;
  private readonly ABar: Matrix; // [n, n]
  private readonly BBar: Matrix; // [n, 1]

  /** @throws ArgumentError when the window is not positive, the measure has none, or n does not fit it. */
  constructor(measure: WindowMeasure, n: number, window: number, rule: Discretization = bilinear) {
    hippoBasis(measure, 0, 0); // refuses measures that do not expand the history
    if (!(window > 0 && Number.isFinite(window)) || (measure as string) === "legs") {
      throw new ArgumentError(
        `WindowMemory: window must be positive and the measure one with a window, got ${window} and ${measure}`,
      );
    }
    this.measure = measure;
    this.window = window;
    this.delta = (measure === "lagt" ? 1 : 2) / window;
    const { A, B } = makeHippo(measure, n);
    const { ABar, BBar } = rule.dense(A, B, this.delta);
    this.ABar = ABar;
    this.BBar = BBar;
    this.coefficients = new Float64Array(n);
  }

  /** Takes the next sample. */
  push(u: number): void {
    this.coefficients = this.ABar.apply(this.coefficients).map((x, i) => x + this.BBar.data[i] * u);
  }

  /** Takes a run of samples in order. */
  pushAll(samples: ArrayLike<number>): void {
    for (let i = 0; i < samples.length; i++) this.push(samples[i]);
  }

  /** The last `count` samples, oldest first; by default the whole window. O(n) a value. */
  reconstruct(count: number = Math.floor(this.window)): Float64Array {
    return Float64Array.from({ length: count }, (_, i) => {
      const age = (count - i - 0.5) * this.delta; // a held sample is best described by its middle
      const basis = hippoBasis(this.measure, this.coefficients.length, age);
      return this.coefficients.reduce((sum, x, k) => sum + x * basis[k], 0);
    });
  }
}
