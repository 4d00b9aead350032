// Rows of any width.
@group(0) @binding(1) var<storage, read> values: array<f32>; // v or dout [b, l, h, r, p]
@group(0) @binding(2) var<storage, read> keys: array<f32>; // k or q [b, l, g, r, n]
//: include ../quads.wgsl

fn left(m: u32, k: u32) -> f32 {
  if (m >= P || !counts(k)) {
    return 0.0f;
  }
  let token = stagedToken(k / R);
  return values[rowAt(k, params.h, own.z) * P + m] * select(token.toEnd * token.weight, token.fromStart, ADJOINT);
}
fn right(k: u32, n: u32) -> f32 {
  return select(0.0f, keys[rowAt(k, params.g, own.z * params.g / params.h) * N + min(n, N - 1u)], n < N && counts(k));
}
