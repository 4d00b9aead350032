// Operands whose rows are whole vec4s.
@group(0) @binding(1) var<storage, read> A: array<vec4f>;
@group(0) @binding(2) var<storage, read> B: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //: if HAS_BIAS // [n]
@group(0) @binding(4) var<storage, read_write> C: array<vec4f>; // [batch parts, m, n]

// Four elements of a row from `column` on; zero past the row's end or outside the matrix.
fn loadA(base: u32, row: u32, column: u32, width: u32, inside: bool, end: u32) -> vec4f {
  return select(vec4f(0.0f), A[(base + row * width + column) / 4u], !GUARDED || (inside && column < end));
}
fn loadB(base: u32, row: u32, column: u32, width: u32, inside: bool, end: u32) -> vec4f {
  return select(vec4f(0.0f), B[(base + row * width + column) / 4u], !GUARDED || (inside && column < end));
}
fn store(at: u32, column: u32, value: vec4f) {
  if (HAS_BIAS) {
    C[at / 4u] = value + bias[column / 4u];
  } else {
    C[at / 4u] = value;
  }
}
