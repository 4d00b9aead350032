// Halves in whole numbers: the builtin functions may round either way, and need not know infinities.

/** The nearest half of a float of these bits, ties to even. */
fn halfBits(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) {
    return sign | 0x7e00u;
  }
  if (rest >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (rest >= 0x38800000u) {
    return sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13u) & 1u)) >> 13u);
  }
  // Halves here are 2^-24 apart.
  let shift = 126u - (rest >> 23u);
  if (shift > 24u) {
    return sign;
  }
  let fraction = (rest & 0x7fffffu) | 0x800000u;
  let half = 1u << (shift - 1u);
  return sign | ((fraction + half - 1u + ((fraction >> shift) & 1u)) >> shift);
}

/** Bits of the float that a half stands for. */
fn floatBits(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let rest = half & 0x7fffu;
  if (rest >= 0x7c00u) {
    return sign | 0x7f800000u | (rest << 13u);
  }
  if (rest >= 0x400u) {
    return sign | ((rest << 13u) + 0x38000000u);
  }
  if (rest == 0u) {
    return sign;
  }
  // Below 2^-14: as many places as its first bit is from the right.
  let first = firstLeadingBit(rest);
  return sign | ((first + 103u) << 23u) | ((rest << (23u - first)) & 0x7fffffu);
}
