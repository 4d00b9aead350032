/**
 * What Mamba-3 adds to a state, in small: turning (a complex state) and the trapezoidal rule.
 * Source: Mamba-3 (arXiv 2603.15569); see the mixer's README in packages/models.
 */

export interface Turn {
  /** Radians by which the state has turned so far. */
  readonly angle: number;
  readonly re: number;
  readonly im: number;
  /** Whether the number of ones so far is odd, as the turning state tells it: it points left. */
  readonly odd: boolean;
  /** A state that can only fade, fed with the same bits. */
  readonly faded: number;
}

/** A state of length 1 that a one turns by `angle`, beside one that keeps `keep` of itself and adds the bit. */
export function turns(bits: readonly number[], angle: number, keep: number): Turn[] {
  let [re, im, turned, faded] = [1, 0, 0, 0];
  return bits.map((bit) => {
    const by = bit * angle;
    [re, im] = [re * Math.cos(by) - im * Math.sin(by), re * Math.sin(by) + im * Math.cos(by)];
    turned += by;
    faded = keep * faded + bit;
    return { angle: turned, re, im, odd: re < 0, faded };
  });
}

export interface Stepped {
  readonly times: Float64Array;
  readonly truth: Float64Array;
  readonly stepped: Float64Array;
  readonly error: number;
}

const SECONDS = 8;
const input = (t: number): number => Math.sin(t) + 0.5 * Math.sin(2.3 * t);
/** The answer of x' = -x + sin(w t) from rest. */
const response = (w: number, t: number): number =>
  (Math.sin(w * t) - w * Math.cos(w * t) + w * Math.exp(-t)) / (1 + w * w);
const exact = (t: number): number => response(1, t) + 0.5 * response(2.3, t);

/**
 * x' = -x + u(t) in steps of `delta`: x_k = a x_(k-1) + delta ((1 - lambda) a u_(k-1) + lambda u_k) with a = exp(-delta). Lambda 1 counts the step's end
 * alone (Mamba's rule), 1/2 both ends alike (the trapezoidal rule).
 */
export function stepThrough(delta: number, lambda: number): Stepped {
  const count = Math.floor(SECONDS / delta) + 1;
  const times = Float64Array.from({ length: count }, (_, k) => k * delta);
  const keep = Math.exp(-delta);
  let x = 0;
  const stepped = times.map((t, k) => {
    if (k > 0) x = keep * x + delta * ((1 - lambda) * keep * input(t - delta) + lambda * input(t));
    return x;
  });
  const truth = times.map(exact);
  return { times, truth, stepped, error: Math.max(...truth.map((value, k) => Math.abs(value - stepped[k]!))) };
}
