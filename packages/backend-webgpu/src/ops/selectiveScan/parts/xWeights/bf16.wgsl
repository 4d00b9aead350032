// Two bfloat16 a word, each the upper half of an f32; needs k to be a multiple of 8.
@group(0) @binding(13) var<storage, read> xW: array<vec4u>; //: packed // [ROWS, d / 8]
const X_WIDTH = 2u;
fn xPair(w: u32) -> vec2f {
  return vec2f(bitcast<f32>(w << 16u), bitcast<f32>(w & 0xffff0000u));
}
fn xWeights(row: u32, quad: u32) -> array<vec4f, X_WIDTH> {
  let w = xW[(row * (params.d / 4u) + quad) / 2u];
  return array(vec4f(xPair(w.x), xPair(w.y)), vec4f(xPair(w.z), xPair(w.w)));
}
