import { complexAbs, complexDiv, complexExp, complexMul, complexSub, type Complex } from "./complex.ts";

/** Inside the unit disc the series beats the closed form, whose subtraction loses 1/|z| digits. 20 terms leave 1/21! < 2^-65. */
const SERIES_TERMS = 20;

/** phi_1(z) = (exp(z) - 1) / z, with phi_1(0) = 1: the mean of exp over the segment from 0 to z. */
export function phi1(z: Complex): Complex {
  if (complexAbs(z) >= 1) return complexDiv(complexSub(complexExp(z), { re: 1, im: 0 }), z);
  return powerSeries(z, 1, (k) => 1 / (k + 1)); // sum z^k / (k + 1)!
}

/** The derivative phi_1'(z) = (exp(z) - phi_1(z)) / z, with phi_1'(0) = 1/2. */
export function phi1Derivative(z: Complex): Complex {
  if (complexAbs(z) >= 1) return complexDiv(complexSub(complexExp(z), phi1(z)), z);
  return powerSeries(z, 1 / 2, (k) => (k + 1) / (k * (k + 2))); // sum (k + 1) z^k / (k + 2)!
}

/** sum_k a_k z^k with a_0 = first and a_k = ratio(k) a_{k-1}, evaluated from the inside out (Horner). */
function powerSeries(z: Complex, first: number, ratio: (k: number) => number): Complex {
  let sum: Complex = { re: 1, im: 0 };
  for (let k = SERIES_TERMS; k >= 1; k--) {
    const term = complexMul(z, sum);
    sum = { re: 1 + ratio(k) * term.re, im: ratio(k) * term.im };
  }
  return { re: first * sum.re, im: first * sum.im };
}
