// Sums across threads through workgroup memory: works on every device.
const K = 2u; // steps whose dB and dC are held before they are summed over the channels
var<workgroup> states: array<f32, (2u + Y) * L * STRIDE>;
var<workgroup> held: array<f32, K * CH * (2u * N + 1u)>;
var<workgroup> summed: array<f32, TS * 2u * N>;

// One of the sums over the states of a channel: 0 = g B, 1 = g h d(decay), 2 = y.
fn addStates(which: u32, t: u32, lid: u32, value: f32) {
  states[(which * L + lid % L) * STRIDE + t * CH + lid / L] = value;
}

fn statesSum(which: u32, i: u32) -> f32 {
  var sum = 0.0f;
  for (var j = 0u; j < L; j++) {
    sum += states[(which * L + j) * STRIDE + i];
  }
  return sum;
}

// Adds a thread's Q values of dB and of dC at step t; steps come in falling order.
fn addBC(t: u32, lid: u32, values: ptr<function, array<f32, 2u * Q>>) {
  let at = ((t % K) * CH + lid / L) * (2u * N + 1u) + (lid % L) * Q;
  for (var q = 0u; q < Q; q++) {
    held[at + q] = (*values)[q];
    held[at + N + q] = (*values)[Q + q];
  }
  if (t % K == 0u) {
    workgroupBarrier();
    for (var i = lid; i < K * 2u * N; i += WG) {
      var sum = 0.0f;
      for (var c = 0u; c < CH; c++) {
        sum += held[((i / (2u * N)) * CH + c) * (2u * N + 1u) + i % (2u * N)];
      }
      summed[t * 2u * N + i] = sum;
    }
    workgroupBarrier();
  }
}

fn bcSum(i: u32) -> f32 {
  return summed[i];
}
