// Rows of any length, or stored [count, k, n].
@group(0) @binding(2) var<storage, read> B: array<f32>; //: if HAS_B // [count, n, k]

// Eight values of a row from k on, zeros outside the matrix.
fn eightB(matrix: u32, row: u32, k: u32) -> Eight {
  let base = matrix * params.n * params.k;
  var values: array<f32, 8>;
  //: unroll
  for (var i = 0u; i < 8u; i++) {
    let at = base + select(row * params.k + k + i, (k + i) * params.n + row, TURNED_B);
    values[i] = select(0.0f, B[at], row < params.n && k + i < params.k);
  }
  return Eight(vec4f(values[0], values[1], values[2], values[3]), vec4f(values[4], values[5], values[6], values[7]));
}
