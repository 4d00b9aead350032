@group(0) @binding(8) var<storage, read> A: array<f32>; // [d, n]
@group(0) @binding(9) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(10) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
fn aAt(i: u32) -> f32 {
  return A[i];
}
fn dAt(c: u32) -> f32 {
  return D[c];
}
fn biasAt(c: u32) -> f32 {
  return deltaBias[c];
}
