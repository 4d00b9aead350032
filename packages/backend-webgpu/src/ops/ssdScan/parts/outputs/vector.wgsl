// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> keys: array<vec4f>; // q (BACKWARDS: k) [b, l, g, r, n]
@group(0) @binding(2) var<storage, read> values: array<vec4f>; // v (BACKWARDS: dout) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> scores: array<vec4f>; // q k^T [b, chunks, g, ROWS, ROWS]
@group(0) @binding(5) var<storage, read> states: array<vec4f>; //: optional // before each chunk (BACKWARDS: adjoints after it) [b, chunks, h, p, n]

fn valueAt(at: u32) -> f32 {
  return values[at / 4u][at % 4u];
}
fn scoreRow(row: u32) -> u32 {
  return ((block / params.h * params.g + keyGroup()) * ROWS + row) * ROWS;
}
fn leftAlong(m: u32, k: u32, depth: u32) -> vec4f {
  if (!inside(m)) {
    return vec4f(0.0f);
  }
  let mine = stagedToken(m / R);
  if (k >= ROWS) {
    return select(mine.fromStart, mine.toEnd, BACKWARDS) * keys[(rowAt(m, params.g, keyGroup()) * N + k - ROWS) / 4u];
  }
  var four = scores[(scoreRow(m) + k) / 4u];
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    let other = stagedToken((k + j) / R);
    if ((k + j) / R == m / R) {
      four[j] = select(0.0f, mine.ownWeight * four[j], OWN);
    } else {
      four[j] = select(0.0f, decayBetween(mine, other) * other.weight * four[j], k + j < m && mine.restarts == other.restarts);
    }
  }
  return four;
}
// Only what later tokens give: a token's own rows are not asked for BACKWARDS.
fn leftAcross(m: u32, k: u32) -> vec4f {
  var four = scores[(scoreRow(k) + m) / 4u];
  let other = stagedToken(k / R);
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    let mine = stagedToken(min(m + j, ROWS - 1u) / R);
    let later = inside(m + j) && k > m + j && k / R != (m + j) / R && mine.restarts == other.restarts;
    four[j] = select(0.0f, decayBetween(other, mine) * four[j], later);
  }
  return four;
}
fn rightAlong(k: u32, n: u32, depth: u32) -> vec4f {
  return select(vec4f(0.0f), states[((block * P + n) * N + k - ROWS) / 4u], n < P);
}
fn rightAcross(k: u32, n: u32) -> vec4f {
  return select(vec4f(0.0f), values[(rowAt(k, params.h, own.z) * P + n) / 4u], n < P && inside(k));
}
