// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> q: array<vec4f>; // [b, l, h, n]
@group(0) @binding(2) var<storage, read> k: array<vec4f>; // [b, l, h, n]
@group(0) @binding(3) var<storage, read> v: array<vec4f>; // [b, l, h, p]

fn keyAt(at: u32) -> f32 {
  return k[at / 4u][at % 4u];
}
fn valueAt(at: u32) -> f32 {
  return v[at / 4u][at % 4u];
}
fn leftAlong(m: u32, at: u32, depth: u32) -> vec4f {
  let place = (rowAt(m, params.h, own.z) * N + at) / 4u;
  if (!inside(m)) {
    return vec4f(0.0f);
  }
  if (ofQueries) {
    return q[place];
  }
  return k[place];
}
fn rightAlong(at: u32, n: u32, depth: u32) -> vec4f {
  return select(vec4f(0.0f), k[(rowAt(n, params.h, own.z) * N + at) / 4u], inside(n));
}
// Neither is read across k.
fn leftAcross(m: u32, at: u32) -> vec4f {
  return vec4f(0.0f);
}
fn rightAcross(at: u32, n: u32) -> vec4f {
  return vec4f(0.0f);
}
