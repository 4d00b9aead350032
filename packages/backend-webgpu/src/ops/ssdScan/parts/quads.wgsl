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
  return vec4f(left(m, k), left(m + 1u, k), left(m + 2u, k), left(m + 3u, k));
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
  return vec4f(right(k, n), right(k, n + 1u), right(k, n + 2u), right(k, n + 3u));
}
