// Rows of any width.
@group(0) @binding(1) var<storage, read> pairs: array<f32>; // see pairSums.wgsl [b, chunks, g, ROWS, ROWS]
@group(0) @binding(2) var<storage, read> values: array<f32>; // dout (OF_KEYS: v) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> keys: array<f32>; // k (OF_KEYS: q) [b, l, g, r, n]
@group(0) @binding(5) var<storage, read> states: array<f32>; // before each chunk (OF_KEYS: adjoint after it) [b, chunks, h, p, n]
//: include ../quads.wgsl

fn left(m: u32, s: u32) -> f32 {
  if (!inside(m)) {
    return 0.0f;
  }
  if (s >= ROWS) {
    return shareOf(m) * values[rowAt(m, params.h, owner % params.h) * P + s - ROWS];
  }
  return pairs[select((block * ROWS + m) * ROWS + s, (block * ROWS + s) * ROWS + m, OF_KEYS)];
}
fn right(s: u32, n: u32) -> f32 {
  if (n >= N) {
    return 0.0f;
  }
  if (s >= ROWS) {
    return states[(owner * P + s - ROWS) * N + n];
  }
  return select(0.0f, keys[rowAt(s, params.g, own.z) * N + n], inside(s));
}
