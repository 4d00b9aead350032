// The operands where they lie, one pass less: for devices that bind 12 buffers, n = 4 V L, and rows of one sequence.
@group(0) @binding(4) var<storage, read> A: array<vec4f>; // [d, n]
@group(0) @binding(9) var<storage, read> B: array<vec4f>; // [b, l, g, n]
@group(0) @binding(10) var<storage, read> C: array<vec4f>; // [b, l, g, n]
@group(0) @binding(11) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(12) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
override HAS_D = false;
override HAS_BIAS = false;

fn aQuad(i: u32) -> vec4f {
  return A[i] * 1.4426950408889634f;
}
fn skipAt(c: u32) -> f32 {
  if (HAS_D) {
    return D[c];
  }
  return 0.0f;
}
fn biasAt(c: u32) -> f32 {
  if (HAS_BIAS) {
    return deltaBias[c];
  }
  return 0.0f;
}
fn bcQuad(position: u32, group: u32, quad: u32) -> vec4f {
  let at = (position * params.g + group) * V * L + quad % (V * L);
  if (quad < V * L) {
    return B[at];
  }
  return C[at];
}
fn restartsAt(position: u32) -> bool {
  return false;
}
