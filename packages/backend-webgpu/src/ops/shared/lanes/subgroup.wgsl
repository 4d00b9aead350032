enable subgroups;
// Sum and maximum over aligned sets of LANES of the WG threads, for every thread of the set: by shuffles, and through
// workgroup memory above 32 threads. For subgroups of at least 32. Must be called by all threads.
var<workgroup> lanes: array<f32, max(WG / 32u, 1u)>;

fn sumLanes(value: f32, lid: u32) -> f32 {
  var sum = value;
  for (var mask = 1u; mask < min(LANES, 32u); mask *= 2u) {
    sum += subgroupShuffleXor(sum, mask);
  }
  if (LANES > 32u) {
    workgroupBarrier();
    if (lid % 32u == 0u) {
      lanes[lid / 32u] = sum;
    }
    workgroupBarrier();
    sum = 0.0f;
    for (var i = 0u; i < LANES / 32u; i++) {
      sum += lanes[lid / LANES * (LANES / 32u) + i];
    }
  }
  return sum;
}

fn maxLanes(value: f32, lid: u32) -> f32 {
  var peak = value;
  for (var mask = 1u; mask < min(LANES, 32u); mask *= 2u) {
    peak = max(peak, subgroupShuffleXor(peak, mask));
  }
  if (LANES > 32u) {
    workgroupBarrier();
    if (lid % 32u == 0u) {
      lanes[lid / 32u] = peak;
    }
    workgroupBarrier();
    peak = lanes[lid / LANES * (LANES / 32u)];
    for (var i = 1u; i < LANES / 32u; i++) {
      peak = max(peak, lanes[lid / LANES * (LANES / 32u) + i]);
    }
  }
  return peak;
}
