// Operands of any width.
@group(0) @binding(1) var<storage, read> A: array<f32>;
@group(0) @binding(2) var<storage, read> B: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [n]
@group(0) @binding(4) var<storage, read_write> C: array<f32>; // [batch parts, m, n]
const UNIT = 1u; // elements that a place counts

// Four elements of a row, of which so many are left; zeros where they are not inside.
fn loadA(at: u32, inside: bool, remaining: u32) -> vec4f {
  var value = vec4f(0.0f);
  for (var i = 0u; i < 4u; i++) {
    if (inside && i < remaining) {
      value[i] = A[at + i];
    }
  }
  return value;
}
fn loadB(at: u32, inside: bool, remaining: u32) -> vec4f {
  var value = vec4f(0.0f);
  for (var i = 0u; i < 4u; i++) {
    if (inside && i < remaining) {
      value[i] = B[at + i];
    }
  }
  return value;
}
fn store(at: u32, column: u32, value: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (column + i < params.n) {
      C[at + i] = value[i] + select(0.0f, bias[column + i], HAS_BIAS);
    }
  }
}
