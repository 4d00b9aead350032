// Rows of whole vec4s along k.
@group(0) @binding(2) var<storage, read> B: array<vec4f>; //: if HAS_B // [count, n, k]

// Eight values of a row from k on, zeros outside the matrix.
fn eightB(matrix: u32, row: u32, k: u32) -> Eight {
  let at = ((matrix * params.n + row) * params.k + k) / 4u;
  let inside = row < params.n;
  return Eight(select(vec4f(0.0f), B[at], inside && k < params.k), select(vec4f(0.0f), B[at + 1u], inside && k + 4u < params.k));
}
