// Blocks of 32: 16 bytes, byte i holding element i in its low and element i + 16 in its high half, then all the f16 scales.
@group(0) @binding(13) var<storage, read> xW: array<vec4u>; //: packed // [ROWS, d / 32] values, [ROWS, d / 32] scales
const X_WIDTH = 8u;
fn xScaleOf(block: u32) -> f32 {
  return unpack2x16float(xW[params.xScales + block / 8u][block / 2u % 4u])[block % 2u];
}
fn xLow(w: u32, scale: f32) -> vec4f {
  return scale * (vec4f(unpack4xU8(w & 0x0f0f0f0fu)) - 8.0f);
}
fn xWeights(row: u32, quad: u32) -> array<vec4f, X_WIDTH> {
  let block = (row * (params.d / 4u) + quad) / 8u;
  let w = xW[block];
  let s = xScaleOf(block);
  return array(xLow(w.x, s), xLow(w.y, s), xLow(w.z, s), xLow(w.w, s), xLow(w.x >> 4u, s), xLow(w.y >> 4u, s), xLow(w.z >> 4u, s), xLow(w.w >> 4u, s));
}
