// Values as two half floats each, brought below 2^14 by a power of two: e is the exponent of the largest, or of a bound on it.
struct Halves { high: vec4u, low: vec4u }

fn magnitude(x: vec4f) -> u32 {
  let size = bitcast<vec4u>(x) & vec4u(0x7fffffffu);
  return max(max(size.x, size.y), max(size.z, size.w));
}
fn exponentOf(largest: u32) -> u32 {
  return clamp(largest >> 23u, 14u, 254u);
}
fn scaleUp(e: u32) -> f32 {
  return bitcast<f32>((267u - e) << 23u);
}
fn scaleDown(e: u32) -> f32 {
  return bitcast<f32>((e - 13u) << 23u);
}
// Rounded to the eleven bits of a half float: by integers, since a driver may take x - f32(f16(x)) for zero.
fn elevenBits(x: vec4f) -> vec4f {
  return bitcast<vec4f>((bitcast<vec4u>(x) + vec4u(0x1000u)) & vec4u(0xffffe000u));
}
fn packed(a: vec4f, b: vec4f) -> vec4u {
  return vec4u(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
}
fn halvesOf(a: vec4f, b: vec4f) -> Halves {
  let highA = elevenBits(a);
  let highB = elevenBits(b);
  return Halves(packed(highA, highB), packed(a - highA, b - highB));
}
// From 2^30 on, and no number: left to f32, where sums and products of any size are what they are.
fn isLoud(magnitude: u32) -> bool {
  return magnitude >= 0x4e800000u;
}
