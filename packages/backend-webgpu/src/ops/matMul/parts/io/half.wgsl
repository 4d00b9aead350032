// As vector.wgsl, B a weight of half floats.
@group(0) @binding(1) var<storage, read> A: array<vec4f>;
@group(0) @binding(2) var<storage, read> B: array<vec2u>; //: packed
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; //: if HAS_BIAS // [n]
@group(0) @binding(4) var<storage, read_write> C: array<vec4f>; // [batch parts, m, n]
const UNIT = 4u; // elements that a place counts

// Four elements of a row; zeros where they are not inside.
fn loadA(at: u32, inside: bool, remaining: u32) -> vec4f {
  return select(vec4f(0.0f), A[at], !GUARDED || inside);
}
fn loadB(at: u32, inside: bool, remaining: u32) -> vec4f {
  let four = B[at];
  return select(vec4f(0.0f), vec4f(unpack2x16float(four.x), unpack2x16float(four.y)), !GUARDED || inside);
}
fn store(at: u32, column: u32, value: vec4f) {
  if (HAS_BIAS) {
    C[at / 4u] = value + bias[column / 4u];
  } else {
    C[at / 4u] = value;
  }
}
