@group(0) @binding(3) var<storage, read> deltaW: array<vec2u>; //: packed // [d, R / 4], two bfloat16 a word
fn deltaWeights(c: u32, quad: u32) -> vec4f {
  let w = deltaW[c * (R / 4u) + quad];
  return bitcast<vec4f>(vec4u(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
}
