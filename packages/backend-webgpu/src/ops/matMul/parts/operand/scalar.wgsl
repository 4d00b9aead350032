// An operand of any width.
@group(0) @binding(1) var<storage, read> X: array<f32>; // [batch, rows, k]

// Four elements from `at` on, zeros from where the row ends.
fn readFour(at: u32, remaining: i32) -> vec4f {
  var four = vec4f(0.0f);
  for (var i = 0u; i < 4u; i++) {
    if (i32(i) < remaining) {
      four[i] = X[at + i];
    }
  }
  return four;
}
