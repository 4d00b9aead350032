// Four values at once of matrices of any width, of left and right.
fn leftAlong(m: u32, k: u32, depth: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; j < 4u; j++) {
    if (k + j < depth) {
      four[j] = left(m, k + j);
    }
  }
  return four;
}
fn leftAcross(m: u32, k: u32) -> vec4f {
  var four = vec4f(0.0f);
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    four[j] = left(m + j, k);
  }
  return four;
}
fn rightAlong(k: u32, n: u32, depth: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; j < 4u; j++) {
    if (k + j < depth) {
      four[j] = right(k + j, n);
    }
  }
  return four;
}
fn rightAcross(k: u32, n: u32) -> vec4f {
  var four = vec4f(0.0f);
  //: unroll if WRITTEN_OUT
  for (var j = 0u; j < 4u; j++) {
    four[j] = right(k, n + j);
  }
  return four;
}
