/** log(1 + e^x) without overflow or cancellation. */
export const softplusOf = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));
/** 1 / (1 + e^-x). */
export const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));
/** x sigmoid(x). */
export const siluOf = (x: number): number => x / (1 + Math.exp(-x));
