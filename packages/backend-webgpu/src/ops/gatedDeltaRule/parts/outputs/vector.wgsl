// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> q: array<vec4f>; // [b, l, h, n]
@group(0) @binding(2) var<storage, read> attention: array<vec4f>; // [b, chunks, h, Q, Q]
@group(0) @binding(3) var<storage, read> errors: array<vec4f>; // [b, l, h, p]
@group(0) @binding(4) var<storage, read> states: array<vec4f>; // before each chunk [b, chunks, h, n, p]

fn leftAlong(m: u32, k: u32, depth: u32) -> vec4f {
  if (!inside(m)) {
    return vec4f(0.0f);
  }
  if (k < Q) {
    return attention[((block * Q + m) * Q + k) / 4u];
  }
  return select(vec4f(0.0f), readingOf(m) * q[(rowAt(m, params.h, own.z) * N + k - Q) / 4u], ofStates(m, false));
}
fn rightAcross(k: u32, n: u32) -> vec4f {
  if (k < Q) {
    return select(vec4f(0.0f), errors[(rowAt(k, params.h, own.z) * P + n) / 4u], n < P && inside(k));
  }
  return select(vec4f(0.0f), states[((block * N + k - Q) * P + n) / 4u], n < P);
}
// Left is read along k, right across it.
fn leftAcross(m: u32, k: u32) -> vec4f {
  return vec4f(0.0f);
}
fn rightAlong(k: u32, n: u32, depth: u32) -> vec4f {
  return vec4f(0.0f);
}
