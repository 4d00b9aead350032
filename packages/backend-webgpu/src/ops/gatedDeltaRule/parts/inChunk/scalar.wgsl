// Rows of any width.
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, n]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, l, h, n]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, l, h, p]
//: include ../../../ssdScan/parts/quads.wgsl

fn keyAt(at: u32) -> f32 {
  return k[at];
}
fn valueAt(at: u32) -> f32 {
  return v[at];
}
fn left(m: u32, at: u32) -> f32 {
  let place = rowAt(m, params.h, own.z) * N + at;
  if (!inside(m)) {
    return 0.0f;
  }
  if (ofQueries) {
    return q[place];
  }
  return k[place];
}
fn right(at: u32, n: u32) -> f32 {
  return select(0.0f, k[rowAt(n, params.h, own.z) * N + at], inside(n));
}
