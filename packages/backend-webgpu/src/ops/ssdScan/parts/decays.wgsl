// What stands in `decays` [b, chunks, h, Q, 2]: (sum of log decays since the chunk began, what float32 rounded off it,
// restarts since the chunk began, weight w) and (weight at the own token, decay from the chunk's start, decay to its end,
// 1 while the sequence goes on that the chunk began with).
struct Token { sum: f32, rest: f32, restarts: f32, weight: f32, ownWeight: f32, fromStart: f32, toEnd: f32 }

fn tokenAt(index: u32) -> Token {
  let a = decays[2u * index];
  let b = decays[2u * index + 1u];
  return Token(a.x, a.y, a.z, a.w, b.x, b.y, b.z);
}

// The decay from token s to a later token t of the chunk and its sequence.
fn decayBetween(t: Token, s: Token) -> f32 {
  return expAccurate((t.sum - s.sum) + (t.rest - s.rest));
}

// The same from the other token to mine, or (BACK) from mine to the other: one exponential in the code, not two.
fn decayFrom(mine: Token, other: Token, BACK: bool) -> f32 {
  let sign = select(1.0f, -1.0f, BACK);
  return expAccurate(sign * (mine.sum - other.sum) + sign * (mine.rest - other.rest));
}
