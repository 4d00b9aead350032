// Rows of any length, or stored [count, k, m].
@group(0) @binding(1) var<storage, read> A: array<f32>; // [count, m, k]

// Eight values of a row from k on, zeros outside the matrix.
fn eightA(matrix: u32, row: u32, k: u32) -> Eight {
  let base = matrix * params.m * params.k;
  var values: array<f32, 8>;
  //: unroll
  for (var i = 0u; i < 8u; i++) {
    let at = base + select(row * params.k + k + i, (k + i) * params.m + row, TURNED_A);
    values[i] = select(0.0f, A[at], row < params.m && k + i < params.k);
  }
  return Eight(vec4f(values[0], values[1], values[2], values[3]), vec4f(values[4], values[5], values[6], values[7]));
}
