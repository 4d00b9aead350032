@group(0) @binding(3) var<storage, read> deltaW: array<vec4f>; // [d, R]
fn deltaWeights(c: u32, quad: u32) -> vec4f {
  return deltaW[c * (R / 4u) + quad];
}
