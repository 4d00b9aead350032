// A head's vectors at a token, as tokens.wgsl leaves them: query (scaled), key, decay (n4 vectors, or one number in one vector), then
// (beta, query . key, 1 where another sequence starts, 0) and (1 / length of q, 1 / length of k, 0, 0). Past n they are zero.
const N4 = 1u; // vectors of four that hold n
override WIDE = false; // a decay for each row of the state

fn queryOf(at: u32) -> u32 {
  return at * (2u * N4 + select(1u, N4, WIDE) + 2u);
}
fn keyOf(at: u32) -> u32 {
  return queryOf(at) + N4;
}
fn decayOf(at: u32) -> u32 {
  return queryOf(at) + 2u * N4;
}
fn scalarsOf(at: u32) -> u32 {
  return queryOf(at + 1u) - 2u;
}
fn decayAt(decay: u32, i: u32) -> vec4f {
  if (WIDE) {
    return tokens[decay + i];
  }
  return vec4f(tokens[decay].x);
}
