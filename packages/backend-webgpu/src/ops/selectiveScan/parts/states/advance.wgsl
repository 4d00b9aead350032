// Of states.wgsl: the steps of a tile; keeps a state every SUB of them.
//: unroll
for (var t = 0u; t < TS; t++) {
  if (t % SUB == 0u && alive) {
    let tile = row * params.tiles + (t0 + t) / SUB;
    //: unroll
    for (var v = 0u; v < V; v++) {
      //: unroll
      for (var q = 0u; q < 4u; q++) {
        work[((tile * 4u + q) * params.d + channel) * (V * L) + lane * V + v] = h[v][q];
      }
    }
    if (lane == 0u) {
      work[params.offCum + tile * params.d + channel] = total;
    }
  }
  let pair = (*steps)[t];
  let fresh = HAS_SEQ && restart[t] != 0.0f;
  // A restart cuts the carry; a sum that no real delta reaches says so.
  total = select(min(total + pair.x, 3.0e38f), 3.0e38f, fresh);
  restarted = restarted || fresh;
  //: unroll
  for (var v = 0u; v < V; v++) {
    // What is forgotten may have been anything: it is not multiplied by 0.
    let decay = exp2(pair.x * a[v]);
    h[v] = fma(decay, select(h[v], vec4f(0.0f), fresh), pair.y * (*mine)[t * 2u * V + v]);
    if (ADJOINT) {
      product[v] *= decay;
      let reached = fma(product[v], (*mine)[(t * 2u + 1u) * V + v] * (*upstreams)[t], adjoint[v]);
      adjoint[v] = select(reached, adjoint[v], restarted);
    }
  }
}
