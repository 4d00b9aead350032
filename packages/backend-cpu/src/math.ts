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
