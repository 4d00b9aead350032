// Powers of two that bring a row to about 1 (x) and back (y), of its largest absolute value. Rows that share a transform, as its real and
// imaginary part, do not see each other so, however loud one is; a row that is not finite is 0 in it, and NaN afterwards.
fn levelOf(peak: f32) -> vec2f {
  let bits = bitcast<u32>(peak) & 0x7fffffffu;
  if (bits >= 0x7f800000u) {
    return vec2f(0.0f, bitcast<f32>(bits | 0x7fc00000u));
  }
  let e = select(clamp(bits >> 23u, 1u, 253u), 127u, bits == 0u);
  return vec2f(bitcast<f32>((254u - e) << 23u), bitcast<f32>(e << 23u));
}
