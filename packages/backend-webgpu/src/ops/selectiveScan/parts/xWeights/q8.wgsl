// Blocks of 32: int8 values in order, then all the f16 scales, two a word (see formats.ts).
@group(0) @binding(13) var<storage, read> xW: array<vec4u>; //: packed // [ROWS, d / 16] values, [ROWS, d / 32] scales
const X_WIDTH = 4u;
fn xScaleOf(block: u32) -> f32 {
  return unpack2x16float(xW[params.xScales + block / 8u][block / 2u % 4u])[block % 2u];
}
fn xWeights(row: u32, quad: u32) -> array<vec4f, X_WIDTH> {
  let at = row * (params.d / 4u) + quad;
  let w = xW[at / 4u];
  let scale = xScaleOf(at / 8u);
  return array(scale * vec4f(unpack4xI8(w.x)), scale * vec4f(unpack4xI8(w.y)), scale * vec4f(unpack4xI8(w.z)), scale * vec4f(unpack4xI8(w.w)));
}
