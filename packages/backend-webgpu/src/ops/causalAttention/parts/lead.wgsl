// dy . (v_j - v_leader): 0 for the leader itself.
fn lead(query: u32, row: u32, j: u32, leader: u32, head: u32) -> f32 {
  var sum = 0.0f;
  let key = keyAt(row, j, head);
  let base = keyAt(row, leader, head);
  for (var c = 0u; c < params.p; c++) {
    sum += dy[query * params.p + c] * (v[key + c] - v[base + c]);
  }
  return sum;
}
