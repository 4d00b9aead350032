@group(0) @binding(2) var<storage, read> W: array<vec4f>; // [n, k]
const WIDTH = 1u;
fn weights(row: u32, quad: u32) -> array<vec4f, WIDTH> {
  return array(W[row * (params.k / 4u) + quad]);
}
