// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> pairs: array<vec4f>; // see pairSums.wgsl [b, chunks, g, ROWS, ROWS]
@group(0) @binding(2) var<storage, read> values: array<vec4f>; // dout (OF_KEYS: v) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> keys: array<vec4f>; // k (OF_KEYS: q) [b, l, g, r, n]
@group(0) @binding(5) var<storage, read> states: array<vec4f>; // before each chunk (OF_KEYS: adjoint after it) [b, chunks, h, p, n]

fn leftAlong(m: u32, s: u32, depth: u32) -> vec4f {
  if (!inside(m)) {
    return vec4f(0.0f);
  }
  if (s >= ROWS) {
    return shareOf(m) * values[(rowAt(m, params.h, owner % params.h) * P + s - ROWS) / 4u];
  }
  return pairs[((block * ROWS + m) * ROWS + s) / 4u];
}
// Of keys: what the rows s of later tokens give.
fn leftAcross(m: u32, s: u32) -> vec4f {
  return pairs[((block * ROWS + s) * ROWS + m) / 4u];
}
fn rightAcross(s: u32, n: u32) -> vec4f {
  if (s >= ROWS) {
    return select(vec4f(0.0f), states[((owner * P + s - ROWS) * N + n) / 4u], n < N);
  }
  return select(vec4f(0.0f), keys[(rowAt(s, params.g, own.z) * N + n) / 4u], n < N && inside(s));
}
// The right one is not read along k.
fn rightAlong(k: u32, n: u32, depth: u32) -> vec4f {
  return vec4f(0.0f);
}
