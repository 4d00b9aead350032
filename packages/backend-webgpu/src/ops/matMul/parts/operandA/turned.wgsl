// Stored with k outermost, whole vec4s along the rows.
@group(0) @binding(1) var<storage, read> A: array<vec4f>; // [count, k, m]

// Four rows from a multiple of four on, eight values of each from k on, zeros outside the matrix.
fn blockA(matrix: u32, row: u32, k: u32) -> array<Eight, 4> {
  var steps: array<vec4f, 8>;
  //: unroll
  for (var j = 0u; j < 8u; j++) {
    let at = ((matrix * params.k + k + j) * params.m + row) / 4u;
    steps[j] = select(vec4f(0.0f), A[at], row < params.m && k + j < params.k);
  }
  var rows: array<Eight, 4>;
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    rows[i] = Eight(vec4f(steps[0][i], steps[1][i], steps[2][i], steps[3][i]), vec4f(steps[4][i], steps[5][i], steps[6][i], steps[7][i]));
  }
  return rows;
}
