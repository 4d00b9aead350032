enable subgroups;
// Sums across threads by subgroup shuffles; for subgroups of at least 32 threads, of which each
// aligned 32 work together, and for L <= 16.
const SETS = WG / 32u; // aligned sets of 32 threads
var<workgroup> states: array<array<f32, T1>, (2u + Y) * CH>;
var<workgroup> summed: array<f32, SETS * TS * 2u * N>;

fn addStates(which: u32, t: u32, lane: u32, column: u32, value: f32) {
  var sum = value;
  if (L > 1u) {
    sum += subgroupShuffleXor(sum, 1u);
  }
  if (L > 2u) {
    sum += subgroupShuffleXor(sum, 2u);
  }
  if (L > 4u) {
    sum += subgroupShuffleXor(sum, 4u);
  }
  if (L > 8u) {
    sum += subgroupShuffleXor(sum, 8u);
  }
  if (lane == 0u) {
    states[which * CH + column][t] = sum;
  }
}

fn statesSum(which: u32, column: u32, t: u32) -> f32 {
  return states[which * CH + column][t];
}

// Sums 8 values over the channels of a set, halving what a thread holds at each exchange: 7 shuffles in place of 24.
// With L = 4 there are 8 channels a set, and each thread ends with one sum.
fn addBC(t: u32, lid: u32, v: u32, dB: vec4f, dC: vec4f) {
  let upper0 = (lid & L) != 0u;
  var four = select(dB, dC, upper0) + subgroupShuffleXor(select(dC, dB, upper0), L);
  var index = select(0u, N, upper0) + (lid % L * V + v) * 4u;
  let base = ((lid / 32u) * TS + t) * 2u * N;
  if (L >= 16u) {
    // Two channels a set.
    summed[base + index] = four.x;
    summed[base + index + 1u] = four.y;
    summed[base + index + 2u] = four.z;
    summed[base + index + 3u] = four.w;
    return;
  }
  let upper1 = (lid & (2u * L)) != 0u;
  let two = select(four.xy, four.zw, upper1) + subgroupShuffleXor(select(four.zw, four.xy, upper1), 2u * L);
  index += select(0u, 2u, upper1);
  if (L == 8u) {
    summed[base + index] = two.x;
    summed[base + index + 1u] = two.y;
    return;
  }
  let upper2 = (lid & (4u * L)) != 0u;
  var one = select(two.x, two.y, upper2) + subgroupShuffleXor(select(two.y, two.x, upper2), 4u * L);
  index += select(0u, 1u, upper2);
  if (L < 4u) {
    one += subgroupShuffleXor(one, 8u * L % 32u); // a mask that is a constant must be below 128 in branches not taken, too
  }
  if (L < 2u) {
    one += subgroupShuffleXor(one, 16u * L % 32u);
  }
  summed[base + index] = one;
}

fn endStep(t: u32, lid: u32) {}

fn bcSum(i: u32) -> f32 {
  var sum = 0.0f;
  for (var s = 0u; s < SETS; s++) {
    sum += summed[s * TS * 2u * N + i];
  }
  return sum;
}
