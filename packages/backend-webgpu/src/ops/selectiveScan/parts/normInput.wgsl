// What the norm takes the mean square of, and what it multiplies that by, but for its scale.
fn inputAt(q: u32) -> vec4f {
  return x[q];
}

fn weighted(input: vec4f, q: u32) -> vec4f {
  if (NORM_WEIGHT) {
    return input * normWeight[q];
  }
  return input;
}
