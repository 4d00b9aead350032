@group(0) @binding(3) var<storage, read> deltaW: array<vec2u>; //: packed // [d, R / 4], two halves a word
fn deltaWeights(c: u32, quad: u32) -> vec4f {
  let w = deltaW[c * (R / 4u) + quad];
  return vec4f(unpack2x16float(w.x), unpack2x16float(w.y));
}
