// The cache entry by entry, where a head is not whole vec4s.
@group(0) @binding(2) var<storage, read> keys: array<f32>; // [b, m, hkv, p]
@group(0) @binding(3) var<storage, read> values: array<f32>; // [b, m, hkv, p]
alias Unit = f32;
const WIDTH = 1u;

fn opened(unit: f32) -> f32 {
  return unit;
}

fn timesQuery(key: f32, unit: u32) -> f32 {
  return key * query[unit];
}

fn entryOf(unit: f32, i: u32) -> f32 {
  return unit;
}
