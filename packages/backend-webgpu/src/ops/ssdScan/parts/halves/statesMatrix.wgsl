enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

// The largest of the threads that share a row of keys.
fn largestOfRow(value: u32, lid: u32) -> u32 {
  let two = max(value, subgroupShuffleXor(value, 1u));
  return select(two, max(two, subgroupShuffleXor(two, 2u)), SHARERS == 4u);
}
fn tellLargest(value: u32, lid: u32, turn: u32) {
  let largest = subgroupMax(value);
  if (lid % 32u == 0u) {
    atomicMax(&peaks[turn], largest);
  }
}
fn placeKey(row: u32, eight: u32, halves: Halves) {
  placeHalves(eight / ROW * 2u, row, eight % ROW, halves);
}

// A subgroup multiplies all values with 16 columns of the keys.
fn multiply(lid: u32, subgroup: u32, before: u32, first: u32, end: u32) {
  placeKeys(lid);
  workgroupBarrier();
  const DEPTH = Q / 16u;
  let part = subgroup / (P / 16u) * 2u;
  let column = subgroup % (P / 16u);
  var high: array<Right, DEPTH>;
  var low: array<Right, DEPTH>;
  //: unroll
  for (var k = 0u; k < DEPTH; k++) {
    high[k] = subgroupMatrixLoad<Right, row_major>(&tile[part * BLOCKS + k * (P / 32u) + column / 2u], column % 2u * 2u, PITCH);
    low[k] = subgroupMatrixLoad<Right, row_major>(&tile[(part + 1u) * BLOCKS + k * (P / 32u) + column / 2u], column % 2u * 2u, PITCH);
  }
  workgroupBarrier();
  var next = bringValues(lid, first - before);
  var scales = bringScales(lid, first);
  for (var owner = first; owner < end; owner++) {
    let turn = (owner - first) % 2u;
    let scale = placeValues(next, scales, lid, turn);
    let following = min(owner + 1u, end - 1u);
    next = bringValues(lid, following - before);
    scales = bringScales(lid, following);
    let at = owner * P * N + subgroup * 16u;
    //: unroll
    for (var i = 0u; i < P / 16u; i++) {
      var sum = Sum();
      //: unroll
      for (var k = 0u; k < DEPTH; k++) {
        let valueHigh = subgroupMatrixLoad<Left, col_major>(&tile[2u * turn * BLOCKS + k * (P / 32u) + i / 2u], i % 2u * 2u, PITCH);
        let valueLow = subgroupMatrixLoad<Left, col_major>(&tile[(2u * turn + 1u) * BLOCKS + k * (P / 32u) + i / 2u], i % 2u * 2u, PITCH);
        sum = subgroupMatrixMultiplyAccumulate(valueHigh, low[k], sum);
        sum = subgroupMatrixMultiplyAccumulate(valueLow, high[k], sum);
        sum = subgroupMatrixMultiplyAccumulate(valueHigh, high[k], sum);
      }
      subgroupMatrixStore<row_major>(&states, at + 16u * i * N, subgroupMatrixScalarMultiply(sum, scale), N);
    }
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  run(group.x + group.y * groups.x, lid, subgroup);
}
