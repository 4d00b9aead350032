// Stored with k outermost, whole vec4s along the rows.
@group(0) @binding(2) var<storage, read> B: array<vec4f>; //: if HAS_B // [count, k, n]

// Four rows from a multiple of four on, eight values of each from k on, zeros outside the matrix.
fn blockB(matrix: u32, row: u32, k: u32) -> array<Eight, 4> {
  var steps: array<vec4f, 8>;
  //: unroll
  for (var j = 0u; j < 8u; j++) {
    let at = ((matrix * params.k + k + j) * params.n + row) / 4u;
    steps[j] = select(vec4f(0.0f), B[at], row < params.n && k + j < params.k);
  }
  var rows: array<Eight, 4>;
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    rows[i] = Eight(vec4f(steps[0][i], steps[1][i], steps[2][i], steps[3][i]), vec4f(steps[4][i], steps[5][i], steps[6][i], steps[7][i]));
  }
  return rows;
}
