// Blocks of 32: int8 values in order, then all the f16 scales, two a word (see formats.ts).
@group(0) @binding(2) var<storage, read> W: array<vec4u>; //: packed // [n, k / 16] values, [n, k / 32] scales
const WIDTH = 4u;
fn scaleOf(block: u32) -> f32 {
  return unpack2x16float(W[params.scales + block / 8u][block / 2u % 4u])[block % 2u];
}
fn weights(row: u32, quad: u32) -> array<vec4f, WIDTH> {
  let at = row * (params.k / 4u) + quad;
  let w = W[at / 4u];
  let scale = scaleOf(at / 8u);
  return array(scale * vec4f(unpack4xI8(w.x)), scale * vec4f(unpack4xI8(w.y)), scale * vec4f(unpack4xI8(w.z)), scale * vec4f(unpack4xI8(w.w)));
}
