// Of forward.wgsl: the chunk's last state, as the sequence's or for the chunks after it.
if ((REDUCE || (KEEP_LAST && group.y == params.chunks - 1u)) && alive) {
  let stateAt = (select(row, block, REDUCE) * params.d + channel) * params.n;
  //: unroll
  for (var v = 0u; v < V; v++) {
    //: unroll
    for (var q = 0u; q < 4u; q++) {
      let n = (lane * V + v) * 4u + q;
      if (n < params.n) {
        last[stateAt + n] = h[v][q];
      }
    }
  }
  if (REDUCE && lane == 0u) {
    // A restart inside the chunk cuts the carry; a sum that no real delta reaches says so.
    last[params.offSum + block * params.d + channel] = select(total, 3.0e38f, restarted);
  }
}
