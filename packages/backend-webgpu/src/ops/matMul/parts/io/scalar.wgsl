// Operands of any width.
@group(0) @binding(1) var<storage, read> A: array<f32>;
@group(0) @binding(2) var<storage, read> B: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [n]
@group(0) @binding(4) var<storage, read_write> C: array<f32>; // [batch parts, m, n]

fn loadA(base: u32, row: u32, column: u32, width: u32, inside: bool, end: u32) -> vec4f {
  var value = vec4f(0.0f);
  for (var i = 0u; i < 4u; i++) {
    if (inside && column + i < end) {
      value[i] = A[base + row * width + column + i];
    }
  }
  return value;
}
fn loadB(base: u32, row: u32, column: u32, width: u32, inside: bool, end: u32) -> vec4f {
  var value = vec4f(0.0f);
  for (var i = 0u; i < 4u; i++) {
    if (inside && column + i < end) {
      value[i] = B[base + row * width + column + i];
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
