@group(0) @binding(1) var<storage, read> coefficients: array<vec4f>; // [b, h]
fn coefficientsOf(i: u32, head: u32) -> vec2f {
  return coefficients[i].xy;
}
