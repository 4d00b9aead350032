// The cache by halves, two in a word.
@group(0) @binding(2) var<storage, read> keys: array<u32>; // [b, m, hkv, p / 2]
@group(0) @binding(3) var<storage, read> values: array<u32>; // [b, m, hkv, p / 2]
alias Unit = vec2f;
const WIDTH = 2u;

fn opened(word: u32) -> vec2f {
  return unpack2x16float(word);
}

fn timesQuery(key: vec2f, unit: u32) -> f32 {
  return dot(key, vec2f(query[2u * unit], query[2u * unit + 1u]));
}

fn entryOf(unit: vec2f, i: u32) -> f32 {
  return unit[i];
}
