// Rows of whole vec4s.
@group(0) @binding(1) var<storage, read> scores: array<vec4f>; // dout v^T [b, chunks, h, ROWS, ROWS]
@group(0) @binding(2) var<storage, read> values: array<vec4f>; // dout (OF_KEYS: v) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> keys: array<vec4f>; // k (OF_KEYS: q) [b, l, g, r, n]
@group(0) @binding(5) var<storage, read> states: array<vec4f>; // before each chunk (OF_KEYS: adjoint after it) [b, chunks, h, p, n]

fn leftAlong(m: u32, s: u32, depth: u32) -> vec4f {
  if (!inside(m)) {
    return vec4f(0.0f);
  }
  let mine = stagedToken(m / R);
  if (s >= ROWS) {
    return select(mine.fromStart, mine.toEnd * mine.weight, OF_KEYS) * values[(rowAt(m, params.h, owner % params.h) * P + s - ROWS) / 4u];
  }
  var four = scores[((owner * ROWS + m) * ROWS + s) / 4u];
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    let other = stagedToken((s + j) / R);
    if ((s + j) / R == m / R) {
      four[j] *= mine.ownWeight;
    } else {
      four[j] = select(0.0f, decayBetween(mine, other) * other.weight * four[j], s + j < m && mine.restarts == other.restarts);
    }
  }
  return four;
}
// Of keys: what the rows s of later tokens give.
fn leftAcross(m: u32, s: u32) -> vec4f {
  var four = scores[((owner * ROWS + s) * ROWS + m) / 4u];
  let other = stagedToken(s / R);
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    let mine = stagedToken(min(m + j, ROWS - 1u) / R);
    if (s / R == (m + j) / R) {
      four[j] *= mine.ownWeight;
    } else {
      four[j] = select(0.0f, decayBetween(other, mine) * mine.weight * four[j], s > m + j && mine.restarts == other.restarts);
    }
    four[j] = select(0.0f, four[j], inside(m + j));
  }
  return four;
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
