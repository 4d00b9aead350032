// Rows of whole vec4s along k.
@group(0) @binding(2) var<storage, read> B: array<vec4f>; //: if HAS_B // [count, n, k]

// Four rows from a multiple of four on, eight values of each from k on, zeros outside the matrix.
fn blockB(matrix: u32, row: u32, k: u32) -> array<Eight, 4> {
  var rows: array<Eight, 4>;
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    let at = ((matrix * params.n + row + i) * params.k + k) / 4u;
    let inside = row + i < params.n;
    rows[i] = Eight(select(vec4f(0.0f), B[at], inside && k < params.k), select(vec4f(0.0f), B[at + 1u], inside && k + 4u < params.k));
  }
  return rows;
}
