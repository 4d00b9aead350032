// Two bfloat16 a word, each the upper half of an f32; needs k to be a multiple of 8.
@group(0) @binding(2) var<storage, read> W: array<vec4u>; //: packed // [n, k / 8]
const WIDTH = 2u;
fn pair(w: u32) -> vec2f {
  return vec2f(bitcast<f32>(w << 16u), bitcast<f32>(w & 0xffff0000u));
}
fn weights(row: u32, quad: u32) -> array<vec4f, WIDTH> {
  let w = W[(row * (params.k / 4u) + quad) / 2u];
  return array(vec4f(pair(w.x), pair(w.y)), vec4f(pair(w.z), pair(w.w)));
}
