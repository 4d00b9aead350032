// An input at step s of a row; before the row's start lies the initial state, oldest first.
fn inputAt(row: u32, s: i32, c: u32) -> f32 {
  if (s >= 0) {
    return x[(row * params.l + u32(s)) * params.d + c];
  }
  if (HAS_INITIAL) {
    return initialState[(row * (params.k - 1u) + u32(i32(params.k) - 1 + s)) * params.d + c];
  }
  return 0.0f;
}

fn convolveAt(row: u32, t: u32, c: u32) -> f32 {
  var sum = 0.0f;
  if (HAS_BIAS) {
    sum = bias[c];
  }
  for (var j = 0u; j < params.k; j++) {
    let s = i32(t + j) - i32(params.k - 1u);
    if (together(row, s, i32(t))) {
      sum += weight[c * params.k + j] * inputAt(row, s, c);
    }
  }
  return sum;
}
