// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> values: array<vec4f>; // v or dout [b, l, h, r, p]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // k or q [b, l, g, r, n]

fn leftAcross(m: u32, k: u32) -> vec4f {
  let token = stagedToken(k / R);
  let scale = select(token.toEnd * token.weight, token.fromStart, ADJOINT);
  return select(vec4f(0.0f), values[(rowAt(k, params.h, own.z) * P + m) / 4u] * scale, m < P && counts(k));
}
fn rightAcross(k: u32, n: u32) -> vec4f {
  return select(vec4f(0.0f), keys[(rowAt(k, params.g, own.z * params.g / params.h) * N + n) / 4u], n < N && counts(k));
}
// Neither is read along k.
fn leftAlong(m: u32, k: u32, depth: u32) -> vec4f {
  return vec4f(0.0f);
}
fn rightAlong(k: u32, n: u32, depth: u32) -> vec4f {
  return vec4f(0.0f);
}
