// How a thread brings its words of the next slices into registers.

// A thread's words of the slice of A from word k of its rows on.
fn bringA(lid: u32, first: u32) -> array<vec4u, PARTS * EACH_A> {
  var words: array<vec4u, PARTS * EACH_A>;
  //: unroll
  for (var p = 0u; p < PARTS * EACH_A; p++) {
    let at = lid + p % EACH_A * WG;
    words[p] = A[p / EACH_A * params.restA + first + at / KW * params.words + at % KW];
  }
  return words;
}
fn bringB(lid: u32, first: u32, row0: u32) -> array<vec4u, PARTS_B * EACH_B> {
  var words: array<vec4u, PARTS_B * EACH_B>;
  //: unroll
  for (var p = 0u; p < PARTS_B * EACH_B; p++) {
    let at = lid + p % EACH_B * WG;
    // Past the last row of a weight comes the last row again: what it gives is not stored.
    let row = select(min(row0 + at / KW, params.n - 1u), row0 + at / KW, SCALED_B);
    words[p] = B[p / EACH_B * params.restB + first + row * params.words + at % KW];
  }
  return words;
}
