// Of backward.wgsl: the chunk's dA, dD and dDeltaBias.
//: unroll
for (var i = 0u; i < P * V; i++) {
  let channel = first + local + i / V * CT;
  //: unroll
  for (var q = 0u; q < 4u; q++) {
    let n = (lane * V + i % V) * 4u + q;
    if (channel < params.d && n < params.n) {
      sums[params.offA + block * params.d * (params.n + 2u) + channel * params.n + n] = dA[i][q];
    }
  }
}
columns[lid] = vec2f(dD, dBias);
workgroupBarrier();
if (lid < CH && columnAlive) {
  var both = vec2f(0.0f);
  for (var j = 0u; j < RS; j++) {
    both += columns[lid + j * CH];
  }
  let at = params.offA + block * params.d * (params.n + 2u) + params.d * params.n + first + lid;
  sums[at] = both.x;
  sums[at + params.d] = both.y;
}
