@group(0) @binding(8) var<storage, read> joined: array<f32>; // A [d, n], D [d], deltaBias [d]
fn aAt(i: u32) -> f32 {
  return joined[i];
}
fn dAt(c: u32) -> f32 {
  return joined[params.offD + c];
}
fn biasAt(c: u32) -> f32 {
  return joined[params.offBias + c];
}
