// Two halves a word; needs k to be a multiple of 8.
@group(0) @binding(13) var<storage, read> xW: array<vec4u>; //: packed // [ROWS, d / 8]
const X_WIDTH = 2u;
fn xWeights(row: u32, quad: u32) -> array<vec4f, X_WIDTH> {
  let w = xW[(row * (params.d / 4u) + quad) / 2u];
  return array(vec4f(unpack2x16float(w.x), unpack2x16float(w.y)), vec4f(unpack2x16float(w.z), unpack2x16float(w.w)));
}
