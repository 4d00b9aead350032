// Blocks of 32: 16 bytes, byte i holding element i in its low and element i + 16 in its high half, then all the f16 scales.
@group(0) @binding(2) var<storage, read> W: array<vec4u>; //: packed // [n, k / 32] values, [n, k / 32] scales
const WIDTH = 8u;
fn scaleOf(block: u32) -> f32 {
  return unpack2x16float(W[params.scales + block / 8u][block / 2u % 4u])[block % 2u];
}
fn low(w: u32, scale: f32) -> vec4f {
  return scale * (vec4f(unpack4xU8(w & 0x0f0f0f0fu)) - 8.0f);
}
fn weights(row: u32, quad: u32) -> array<vec4f, WIDTH> {
  let block = (row * (params.k / 4u) + quad) / 8u;
  let w = W[block];
  let s = scaleOf(block);
  return array(low(w.x, s), low(w.y, s), low(w.z, s), low(w.w, s), low(w.x >> 4u, s), low(w.y >> 4u, s), low(w.z >> 4u, s), low(w.w >> 4u, s));
}
