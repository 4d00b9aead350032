// Two halves a word; needs k to be a multiple of 8.
@group(0) @binding(2) var<storage, read> W: array<vec4u>; //: packed // [n, k / 8]
const WIDTH = 2u;
fn weights(row: u32, quad: u32) -> array<vec4f, WIDTH> {
  let w = W[(row * (params.k / 4u) + quad) / 2u];
  return array(vec4f(unpack2x16float(w.x), unpack2x16float(w.y)), vec4f(unpack2x16float(w.z), unpack2x16float(w.w)));
}
