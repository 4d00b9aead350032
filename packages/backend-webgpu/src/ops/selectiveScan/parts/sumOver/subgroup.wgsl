enable subgroups;
// Sum over aligned sets of `count` threads, a power of two and at most 32, for each of them: for subgroups of at least 32.
fn sumOver(value: f32, lid: u32, count: u32) -> f32 {
  var sum = value;
  for (var mask = 1u; mask < count; mask *= 2u) {
    sum += subgroupShuffleXor(sum, mask);
  }
  return sum;
}
