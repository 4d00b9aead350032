@group(0) @binding(4) var<storage, read> packed: array<vec4f>; // see pack.wgsl

fn packedAt(at: u32) -> f32 {
  return packed[at / 4u][at % 4u];
}
// Four of a channel's A, times log2(e).
fn aQuad(i: u32) -> vec4f {
  return packed[i];
}
fn skipAt(c: u32) -> f32 {
  return packedAt(params.offD + c);
}
fn biasAt(c: u32) -> f32 {
  return packedAt(params.offBias + c);
}
// Four of B, or from V L on of C, of a group at a position.
fn bcQuad(position: u32, group: u32, quad: u32) -> vec4f {
  return packed[params.offBC / 4u + (position * params.g + group) * 2u * V * L + quad];
}
fn restartsAt(position: u32) -> bool {
  return packedAt(params.offRestart + position) != 0.0f;
}
