// Sums across threads by subgroup shuffles; for subgroups of at least 32 threads, of which each aligned 32 work together.
const SETS = WG / 32u; // aligned sets of 32 threads
const PEERS = 32u / L; // channels a set
var<workgroup> states: array<f32, (2u + Y) * TS * CH>;
var<workgroup> summed: array<f32, SETS * TS * 2u * N>;

fn addStates(which: u32, t: u32, lid: u32, value: f32) {
  var sum = value;
  for (var mask = 1u; mask < L; mask *= 2u) {
    sum += subgroupShuffleXor(sum, mask);
  }
  if (lid % L == 0u) {
    states[which * TS * CH + t * CH + lid / L] = sum;
  }
}

fn statesSum(which: u32, i: u32) -> f32 {
  return states[which * TS * CH + i];
}

// Halves the values a thread holds at each exchange: after log2(PEERS) of them, each thread of the set
// holds 2 Q / PEERS sums over its channels, with 2 Q - 1 shuffles in place of 2 Q log2(PEERS).
fn addBC(t: u32, lid: u32, values: ptr<function, array<f32, 2u * Q>>) {
  var count = 2u * Q;
  var offset = 0u;
  for (var mask = L; mask < 32u; mask *= 2u) {
    let upper = (lid & mask) != 0u;
    if (count > 1u) {
      count /= 2u;
      for (var q = 0u; q < count; q++) {
        let low = (*values)[q];
        let high = (*values)[count + q];
        (*values)[q] = select(low, high, upper) + subgroupShuffleXor(select(high, low, upper), mask);
      }
      offset += select(0u, count, upper);
    } else {
      (*values)[0] += subgroupShuffleXor((*values)[0], mask);
    }
  }
  for (var q = 0u; q < count; q++) {
    let index = offset + q; // dB of state index, or dC of state index - Q
    let at = select(0u, N - Q, index >= Q) + (lid % L) * Q + index;
    summed[((lid / 32u) * TS + t) * 2u * N + at] = (*values)[q];
  }
}

fn bcSum(i: u32) -> f32 {
  var sum = 0.0f;
  for (var s = 0u; s < SETS; s++) {
    sum += summed[s * TS * 2u * N + i];
  }
  return sum;
}
