// Plain rows of any length, an element at a time.
@group(0) @binding(2) var<storage, read> W: array<f32>; // [n, k]
const WIDTH = 1u;
fn weights(row: u32, quad: u32) -> array<vec4f, WIDTH> {
  var w = vec4f();
  for (var i = 0u; i < 4u; i++) {
    if (4u * quad + i < params.k) {
      w[i] = W[row * params.k + 4u * quad + i];
    }
  }
  return array(w);
}
