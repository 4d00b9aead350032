// Rows of any length, or stored with k outermost.
@group(0) @binding(2) var<storage, read> B: array<f32>; //: if HAS_B // [count, n, k]

// Four rows from a multiple of four on, eight values of each from k on, zeros outside the matrix.
fn blockB(matrix: u32, row: u32, k: u32) -> array<Eight, 4> {
  let base = matrix * params.n * params.k;
  var rows: array<Eight, 4>;
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    var values: array<f32, 8>;
    //: unroll
    for (var j = 0u; j < 8u; j++) {
      let at = base + select((row + i) * params.k + k + j, (k + j) * params.n + row + i, TURNED_B);
      values[j] = select(0.0f, B[at], row + i < params.n && k + j < params.k);
    }
    rows[i] = Eight(vec4f(values[0], values[1], values[2], values[3]), vec4f(values[4], values[5], values[6], values[7]));
  }
  return rows;
}
