// An operand whose rows are whole vec4s.
@group(0) @binding(1) var<storage, read> X: array<vec4f>; // [batch, rows, k]

// Four elements from `at` on, zeros where none of the row remains.
fn readFour(at: u32, remaining: i32) -> vec4f {
  return select(vec4f(0.0f), X[at / 4u], remaining > 0);
}
