// The cache by halves, four in two words.
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // [b, m, hkv, p / 4]
@group(0) @binding(3) var<storage, read> values: array<vec2u>; // [b, m, hkv, p / 4]
alias Unit = vec4f;
const WIDTH = 4u;

fn opened(words: vec2u) -> vec4f {
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn timesQuery(key: vec4f, unit: u32) -> f32 {
  return dot(key, vec4f(query[4u * unit], query[4u * unit + 1u], query[4u * unit + 2u], query[4u * unit + 3u]));
}

fn entryOf(unit: vec4f, i: u32) -> f32 {
  return unit[i];
}
