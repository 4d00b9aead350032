// Rows of any width.
@group(0) @binding(1) var<storage, read> keys: array<f32>; // q (BACKWARDS: k) [b, l, g, r, n]
@group(0) @binding(2) var<storage, read> values: array<f32>; // v (BACKWARDS: dout) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> scores: array<f32>; // q k^T [b, chunks, g, ROWS, ROWS]
@group(0) @binding(5) var<storage, read> states: array<f32>; //: optional // before each chunk (BACKWARDS: adjoints after it) [b, chunks, h, p, n]
//: include ../quads.wgsl

fn valueAt(at: u32) -> f32 {
  return values[at];
}
fn left(m: u32, k: u32) -> f32 {
  if (!inside(m)) {
    return 0.0f;
  }
  let mine = stagedToken(m / R);
  if (k >= ROWS) {
    return select(mine.fromStart, mine.toEnd, BACKWARDS) * keys[rowAt(m, params.g, keyGroup()) * N + k - ROWS];
  }
  let scoresAt = (block / params.h * params.g + keyGroup()) * ROWS * ROWS;
  if (k / R == m / R) {
    return select(0.0f, mine.ownWeight * scores[scoresAt + m * ROWS + k], OWN);
  }
  let other = stagedToken(k / R);
  let factor = decayFrom(mine, other, BACKWARDS) * select(other.weight, 1.0f, BACKWARDS);
  let at = scoresAt + select(m * ROWS + k, k * ROWS + m, BACKWARDS);
  return select(0.0f, factor * scores[at], select((k < m), (k > m), BACKWARDS) && mine.restarts == other.restarts);
}
fn right(k: u32, n: u32) -> f32 {
  if (n >= P) {
    return 0.0f;
  }
  if (k >= ROWS) {
    return states[(block * P + n) * N + k - ROWS];
  }
  return select(0.0f, values[rowAt(k, params.h, own.z) * P + n], inside(k));
}
