// Rows of any width.
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, n]
@group(0) @binding(2) var<storage, read> attention: array<f32>; // [b, chunks, h, Q, Q]
@group(0) @binding(3) var<storage, read> errors: array<f32>; // [b, l, h, p]
@group(0) @binding(4) var<storage, read> states: array<f32>; // before each chunk [b, chunks, h, n, p]
//: include ../../../ssdScan/parts/quads.wgsl

fn left(m: u32, k: u32) -> f32 {
  if (!inside(m)) {
    return 0.0f;
  }
  if (k < Q) {
    return attention[(block * Q + m) * Q + k];
  }
  return select(0.0f, readingOf(m) * q[rowAt(m, params.h, own.z) * N + k - Q], ofStates(m, false));
}
fn right(k: u32, n: u32) -> f32 {
  if (n >= P) {
    return 0.0f;
  }
  if (k < Q) {
    return select(0.0f, errors[rowAt(k, params.h, own.z) * P + n], inside(k));
  }
  return states[(block * N + k - Q) * P + n];
}
