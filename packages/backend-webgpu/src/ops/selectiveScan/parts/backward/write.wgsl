// Of backward.wgsl: du, dDelta, dz of the tile, and the workgroup's share of its dB and dC.
//: unroll
for (var k = 0u; k < ROWS; k++) {
  let s = lid / CH + k * RS;
  if (s < TS && t0 + s < end && columnAlive) {
    let at = base + (t0 + s) * params.d;
    let upstream = gated[column % CT][column / CT * T1 + s];
    let sumB = statesSum(0u, column, s);
    var dDelta = statesSum(1u, column, s) * 0.6931471805599453f + us[k] * sumB; // a holds A log2(e)
    if (SOFTPLUS) {
      dDelta *= sigmoid(raws[k]);
    }
    grads[at] = step[column % CT][column / CT * T1 + s].x * sumB + skip * upstream;
    grads[params.offDelta + at] = dDelta;
    if (HAS_Z) {
      grads[params.offZ + at] = dys[k] * siluSlope(zs[k]) * (statesSum(2u, column, s) + skip * us[k]);
    }
    dD += upstream * us[k];
    dBias += dDelta;
  }
}
for (var i = lid; i < TS * 2u * N; i += WG) {
  if (t0 + i / (2u * N) < end) {
    sums[((group.x * params.bl + row * params.l + t0) * 2u * N) + i] = bcSum(i);
  }
}
