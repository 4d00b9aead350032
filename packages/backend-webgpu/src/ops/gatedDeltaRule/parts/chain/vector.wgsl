// Rows of whole vec4s.
@group(0) @binding(2) var<storage, read> k: array<vec4f>; // [b, l, h, n]
@group(0) @binding(3) var<storage, read> W: array<vec4f>; // [b, l, h, n]
@group(0) @binding(4) var<storage, read_write> lacks: array<vec4f>; // in: U; out: E [b, l, h, p]
@group(0) @binding(5) var<storage, read> initial: array<vec4f>; //: if HAS_INITIAL // [b, h, n, p]
@group(0) @binding(6) var<storage, read_write> states: array<vec4f>; // before each chunk [b, chunks, h, n, p]
@group(0) @binding(7) var<storage, read_write> last: array<vec4f>; //: if KEEP_LAST // [b, h, n, p]

fn weightFour(row: u32, quad: u32) -> vec4f {
  return W[row * (N / 4u) + quad];
}
fn keyFour(row: u32, quad: u32) -> vec4f {
  return k[row * (N / 4u) + quad];
}
fn lackFour(at: u32, c: u32) -> vec4f {
  return lacks[at / 4u];
}
fn initialFour(at: u32, c: u32) -> vec4f {
  return initial[at / 4u];
}
fn storeLack(at: u32, c: u32, four: vec4f) {
  lacks[at / 4u] = four;
}
fn storeState(at: u32, c: u32, four: vec4f) {
  states[at / 4u] = four;
}
fn storeLast(at: u32, c: u32, four: vec4f) {
  last[at / 4u] = four;
}
