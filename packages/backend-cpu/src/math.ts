/** log(1 + e^x), accurate relatively for every x: `log1p` keeps the small side, and past 20 the rest is below half an ulp of f32. */
export function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** x sigmoid(x). */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** d silu / dx. */
export function siluGradient(x: number): number {
  const s = sigmoid(x);
  return s * (1 + x * (1 - s));
}

/** Error function, by whichever of series and continued fraction converges fast; about 1e-15 off relatively. */
export function erf(x: number): number {
  if (Math.abs(x) < 2.5) return erfSeries(x);
  return x > 0 ? 1 - erfcFraction(x) : erfcFraction(-x) - 1;
}

/** 1 - erf(x) without cancellation on the positive side. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) < 1) return 1 - erfSeries(x);
  return x > 0 ? erfcFraction(x) : 2 - erfcFraction(-x);
}

/** x times the normal distribution function. */
export function gelu(x: number): number {
  return x === Number.NEGATIVE_INFINITY ? 0 : 0.5 * x * erfc(-x * Math.SQRT1_2);
}

/** erf x = 2/sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!, DLMF 7.6.2: every term has the sign of x, so nothing cancels. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc x for x >= 1 by the continued fraction e^(-x^2)/sqrt(pi) 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ..)))), DLMF 7.9.1. */
function erfcFraction(x: number): number {
  // n terms leave about e^(-2 x sqrt(2n)); this many bring it below 1e-17. Past 27.3 e^(-x^2) is 0.
  if (x > 27.3) return 0;
  let tail = x;
  for (let n = Math.ceil(10 + 200 / (x * x)); n > 0; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}
