// Rows of whole vec4s along k.
@group(0) @binding(1) var<storage, read> A: array<vec4f>; // [count, m, k]

// Eight values of a row from k on, zeros outside the matrix.
fn eightA(matrix: u32, row: u32, k: u32) -> Eight {
  let at = ((matrix * params.m + row) * params.k + k) / 4u;
  let inside = row < params.m;
  return Eight(select(vec4f(0.0f), A[at], inside && k < params.k), select(vec4f(0.0f), A[at + 1u], inside && k + 4u < params.k));
}
