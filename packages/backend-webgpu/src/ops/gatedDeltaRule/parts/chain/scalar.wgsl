// Rows of any width.
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, l, h, n]
@group(0) @binding(3) var<storage, read> W: array<f32>; // [b, l, h, n]
@group(0) @binding(4) var<storage, read_write> lacks: array<f32>; // in: U; out: E [b, l, h, p]
@group(0) @binding(5) var<storage, read> initial: array<f32>; //: if HAS_INITIAL // [b, h, n, p]
@group(0) @binding(6) var<storage, read_write> states: array<f32>; // before each chunk [b, chunks, h, n, p]
@group(0) @binding(7) var<storage, read_write> last: array<f32>; //: if KEEP_LAST // [b, h, n, p]

fn weightFour(row: u32, quad: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; j < 4u && 4u * quad + j < N; j++) {
    four[j] = W[row * N + 4u * quad + j];
  }
  return four;
}
fn keyFour(row: u32, quad: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; j < 4u && 4u * quad + j < N; j++) {
    four[j] = k[row * N + 4u * quad + j];
  }
  return four;
}
fn lackFour(at: u32, c: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; j < 4u && c + j < P; j++) {
    four[j] = lacks[at + j];
  }
  return four;
}
fn initialFour(at: u32, c: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; HAS_INITIAL && j < 4u && c + j < P; j++) {
    four[j] = initial[at + j];
  }
  return four;
}
fn storeLack(at: u32, c: u32, four: vec4f) {
  for (var j = 0u; j < 4u && c + j < P; j++) {
    lacks[at + j] = four[j];
  }
}
fn storeState(at: u32, c: u32, four: vec4f) {
  for (var j = 0u; j < 4u && c + j < P; j++) {
    states[at + j] = four[j];
  }
}
fn storeLast(at: u32, c: u32, four: vec4f) {
  for (var j = 0u; KEEP_LAST && j < 4u && c + j < P; j++) {
    last[at + j] = four[j];
  }
}
