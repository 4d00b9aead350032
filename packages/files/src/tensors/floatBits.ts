/**
 * Bit-exact conversion between float32 and the 16- and 8-bit formats.
 * Narrowing rounds to nearest, ties to even (IEEE 754-2019 section 4.3.1); NaN stays NaN, its top payload bits are kept, and a signalling NaN becomes quiet.
 */

const scratchF32 = new Float32Array(1);
const scratchU32 = new Uint32Array(scratchF32.buffer);

/** Bits of the float32 that equals the binary16 value with these bits. Exact: every half is a float32. */
function f16BitsToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal half = fraction * 2^-24, a normal float32: shift the leading one out of the fraction.
  const shift = Math.clz32(fraction) - 21; // 1..10
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

/** Bits of the binary16 nearest to the float32 with these bits; beyond 65519.99 the result is infinite. */
export function f32BitsToF16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  // 0x47800000 = 65536; rounding below carries 65520..65535 into infinity by itself.
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // 0x33000000 = 2^-25: exactly half the smallest subnormal, and a tie goes to the even 0.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23); // 14..24: puts the result in units of 2^-24
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const half = 1 << (shift - 1);
  const odd = (mantissa >>> shift) & 1;
  return sign | ((mantissa + half - 1 + odd) >>> shift);
}

/** Bits of the bfloat16 nearest to the float32 with these bits. */
export function f32BitsToBf16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

let f16Table: Uint32Array | undefined;

/** All 65,536 halves as float32 bits (256 KiB, built on first use): one load per element when whole tensors are converted. */
export function f16ToF32Table(): Uint32Array {
  if (f16Table === undefined) {
    f16Table = new Uint32Array(65536);
    for (let half = 0; half < 65536; half++) f16Table[half] = f16BitsToF32Bits(half);
  }
  return f16Table;
}

/** The float8 e4m3fn value with these bits: bias 7, no infinities, 0x7f and 0xff are NaN (arXiv 2209.05433, table 1). */
export function f8E4M3ToNumber(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >>> 3) & 0xf;
  const fraction = bits & 7;
  if (exponent === 0xf && fraction === 7) return NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
}

/** The float8 e5m2 value with these bits: the upper byte of a binary16 (arXiv 2209.05433, table 1). */
export function f8E5M2ToNumber(bits: number): number {
  scratchU32[0] = f16BitsToF32Bits(bits << 8);
  return scratchF32[0];
}
