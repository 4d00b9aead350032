// Sum and maximum over aligned sets of LANES of the WG threads, for every thread of the set: through workgroup memory.
// LANES is a power of two. Must be called by all threads.
var<workgroup> lanes: array<f32, WG>;

fn sumLanes(value: f32, lid: u32) -> f32 {
  lanes[lid] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid % LANES < half) {
      lanes[lid] += lanes[lid + half];
    }
  }
  workgroupBarrier();
  let total = lanes[lid - lid % LANES];
  workgroupBarrier();
  return total;
}

fn maxLanes(value: f32, lid: u32) -> f32 {
  lanes[lid] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid % LANES < half) {
      lanes[lid] = max(lanes[lid], lanes[lid + half]);
    }
  }
  workgroupBarrier();
  let peak = lanes[lid - lid % LANES];
  workgroupBarrier();
  return peak;
}
