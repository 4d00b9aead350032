/** a to the power of b as in C and NumPy: 1 to any power and -1 to an infinite one are 1, where JavaScript has NaN. */
export const powerOf = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;
/** log(1 + e^x) without overflow or cancellation. */
export const softplusOf = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));
/** 1 / (1 + e^-x). */
export const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));
/** x sigmoid(x). */
export const siluOf = (x: number): number => x / (1 + Math.exp(-x));
