const AHEAD = 4u; // chunks whose ends are loaded at once

// The state that chunk `count` of a row starts from: the row's first state carried over the chunks before it.
fn carried(first: array<vec4f, V>, a: array<vec4f, V>, row: u32, count: u32, channel: u32, lane: u32) -> array<vec4f, V> {
  var h = first;
  for (var c0 = 0u; c0 < count; c0 += AHEAD) {
    var ended: array<vec4f, AHEAD * V>;
    var sums: array<f32, AHEAD>;
    //: unroll
    for (var k = 0u; k < AHEAD; k++) {
      let before = (row * params.chunks + min(c0 + k, count - 1u)) * params.d + min(channel, params.d - 1u);
      sums[k] = ends[params.offSum + before];
      //: unroll
      for (var i = 0u; i < 4u * V; i++) {
        let n = lane * V * 4u + i;
        ended[k * V + i / 4u][i % 4u] = select(0.0f, ends[before * params.n + min(n, params.n - 1u)], n < params.n);
      }
    }
    //: unroll
    for (var k = 0u; k < AHEAD; k++) {
      //: unroll
      for (var v = 0u; v < V; v++) {
        let next = ended[k * V + v] + select(exp2(a[v] * sums[k]) * h[v], vec4f(0.0f), sums[k] > 1.0e38f);
        h[v] = select(h[v], next, c0 + k < count);
      }
    }
  }
  return h;
}
