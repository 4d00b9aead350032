/** A complex number. Arrays of them carry a last axis of 2 (re, im) instead. */
export interface Complex {
  re: number;
  im: number;
}

/** re + i im, a real number unless `im` is given. */
export function complex(re: number, im = 0): Complex {
  return { re, im };
}

/** Reads element `index` of an interleaved array. */
export function complexAt(data: ArrayLike<number>, index: number): Complex {
  return { re: data[2 * index], im: data[2 * index + 1] };
}

/** Writes element `index` of an interleaved array. */
export function complexSet(data: Float64Array, index: number, z: Complex): void {
  data[2 * index] = z.re;
  data[2 * index + 1] = z.im;
}

/** a + b. */
export function complexAdd(a: Complex, b: Complex): Complex {
  return { re: a.re + b.re, im: a.im + b.im };
}

/** a - b. */
export function complexSub(a: Complex, b: Complex): Complex {
  return { re: a.re - b.re, im: a.im - b.im };
}

/** a b. */
export function complexMul(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

/** a times a real factor. */
export function complexScale(a: Complex, factor: number): Complex {
  return { re: a.re * factor, im: a.im * factor };
}

/** The conjugate, re - i im. */
export function complexConj(a: Complex): Complex {
  return { re: a.re, im: -a.im };
}

/** The modulus |a|, without overflow on the way. */
export function complexAbs(a: Complex): number {
  return Math.hypot(a.re, a.im);
}

/** a / b by Smith's method, which neither overflows nor underflows where the quotient does not. */
export function complexDiv(a: Complex, b: Complex): Complex {
  if (Math.abs(b.re) >= Math.abs(b.im)) {
    const ratio = b.im / b.re;
    const scale = b.re + b.im * ratio;
    return { re: (a.re + a.im * ratio) / scale, im: (a.im - a.re * ratio) / scale };
  }
  const ratio = b.re / b.im;
  const scale = b.re * ratio + b.im;
  return { re: (a.re * ratio + a.im) / scale, im: (a.im * ratio - a.re) / scale };
}

/** e^z = e^re (cos im + i sin im). */
export function complexExp(z: Complex): Complex {
  const radius = Math.exp(z.re);
  return { re: radius * Math.cos(z.im), im: radius * Math.sin(z.im) };
}

/** The principal square root (non-negative real part). */
export function complexSqrt(z: Complex): Complex {
  const radius = complexAbs(z);
  if (radius === 0) return { re: 0, im: 0 };
  const larger = Math.sqrt((radius + Math.abs(z.re)) / 2);
  const smaller = Math.abs(z.im) / (2 * larger);
  const [re, im] = z.re >= 0 ? [larger, smaller] : [smaller, larger];
  return { re, im: z.im < 0 ? -im : im };
}
