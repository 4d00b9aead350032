// The cache in whole vec4s.
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // [b, m, hkv, p]
@group(0) @binding(3) var<storage, read> values: array<vec4f>; // [b, m, hkv, p]
alias Unit = vec4f;
const WIDTH = 4u;

fn opened(unit: vec4f) -> vec4f {
  return unit;
}

fn timesQuery(key: vec4f, unit: u32) -> f32 {
  return dot(key, vec4f(query[4u * unit], query[4u * unit + 1u], query[4u * unit + 2u], query[4u * unit + 3u]));
}

fn entryOf(unit: vec4f, i: u32) -> f32 {
  return unit[i];
}
