// Rows of whole vec4s along k.
@group(0) @binding(1) var<storage, read> A: array<vec4f>; // [count, m, k]

// Four rows from a multiple of four on, eight values of each from k on, zeros outside the matrix.
fn blockA(matrix: u32, row: u32, k: u32) -> array<Eight, 4> {
  var rows: array<Eight, 4>;
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    let at = ((matrix * params.m + row + i) * params.k + k) / 4u;
    let inside = row + i < params.m;
    rows[i] = Eight(select(vec4f(0.0f), A[at], inside && k < params.k), select(vec4f(0.0f), A[at + 1u], inside && k + 4u < params.k));
  }
  return rows;
}
