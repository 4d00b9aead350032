@group(0) @binding(13) var<storage, read> xW: array<vec4f>; // [ROWS, d]
const X_WIDTH = 1u;
fn xWeights(row: u32, quad: u32) -> array<vec4f, X_WIDTH> {
  return array(xW[row * (params.d / 4u) + quad]);
}
