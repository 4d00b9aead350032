// AHEAD words of a row.
fn load(row: u32, q0: u32, quads: u32) -> array<array<vec4f, WIDTH>, AHEAD> {
  var w: array<array<vec4f, WIDTH>, AHEAD>;
  //: unroll
  for (var a = 0u; a < AHEAD; a++) {
    w[a] = weights(row, min(q0 + a * LANES * WIDTH, quads - WIDTH));
  }
  return w;
}
