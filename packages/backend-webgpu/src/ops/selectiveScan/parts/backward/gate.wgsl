// Of backward.wgsl: delta, delta u and dy silu(z) of the tile, for the threads that own its channels.
//: unroll
for (var k = 0u; k < ROWS; k++) {
  let s = lid / CH + k * RS;
  let inside = t0 + s < end && columnAlive;
  dys[k] = select(0.0f, dys[k], inside);
  var d = raws[k];
  if (SOFTPLUS) {
    d = softplus(d);
  }
  d = select(0.0f, d, inside);
  var upstream = dys[k];
  if (HAS_Z) {
    upstream *= silu(zs[k]);
  }
  if (s < TS) {
    step[column % CT][column / CT * T1 + s] = vec2f(d, d * us[k]);
    gated[column % CT][column / CT * T1 + s] = upstream;
  }
}
