// Sum over aligned sets of `count` threads, a power of two, for each of them: through workgroup memory. All threads must call it.
var<workgroup> terms: array<f32, WG>;

fn sumOver(value: f32, lid: u32, count: u32) -> f32 {
  terms[lid] = value;
  for (var half = count / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid % count < half) {
      terms[lid] += terms[lid + half];
    }
  }
  workgroupBarrier();
  let total = terms[lid - lid % count];
  workgroupBarrier();
  return total;
}
