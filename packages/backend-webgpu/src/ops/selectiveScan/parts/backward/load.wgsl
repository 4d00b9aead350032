// Of backward.wgsl: the operands of the tile that comes next, and the states kept of it.
var nextU: array<f32, ROWS>;
var nextRaw: array<f32, ROWS>;
var nextZ: array<f32, ROWS>;
var nextDy: array<f32, ROWS>;
var nextFirsts: array<f32, SUBS * P * V * 4u>;
var nextCums: array<f32, SUBS * P>;
//: unroll
for (var k = 0u; k < ROWS; k++) {
  let at = base + min(before + lid / CH + k * RS, params.l - 1u) * params.d;
  nextU[k] = u[at];
  nextDy[k] = dy[at];
  nextRaw[k] = delta[at] + bias;
  nextZ[k] = z[at * u32(HAS_Z)];
}
//: unroll
for (var i = 0u; i < SUBS * P; i++) {
  let channel = min(first + local + i % P * CT, params.d - 1u);
  nextCums[i] = work[params.offCum + (tile + i / P) * params.d + channel];
  //: unroll
  for (var j = 0u; j < 4u * V; j++) {
    nextFirsts[i * 4u * V + j] = work[(((tile + i / P) * 4u + j % 4u) * params.d + channel) * (V * L) + lane * V + j / 4u];
  }
}
