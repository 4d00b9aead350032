// Sums across threads through workgroup memory: works on every device.
const K = 2u; // steps whose dB and dC are held before they are summed over the channels
const SS = 37u; // L (TS + 1) + 1
var<workgroup> states: array<f32, (2u + Y) * CH * SS>; // [which][channel][lane][t], padded
var<workgroup> held: array<vec4f, K * CT * (2u * V * L + 1u)>; // [step][channel][dB, dC]
var<workgroup> summed: array<vec4f, TS * 2u * V * L>;

// One of the sums over the states of a channel: 0 = g B, 1 = g h d(decay), 2 = y.
fn addStates(which: u32, t: u32, lane: u32, column: u32, value: f32) {
  states[(which * CH + column) * SS + lane * T1 + t] = value;
}

fn statesSum(which: u32, column: u32, t: u32) -> f32 {
  var sum = 0.0f;
  for (var j = 0u; j < L; j++) {
    sum += states[(which * CH + column) * SS + j * T1 + t];
  }
  return sum;
}

// Adds four of a thread's values of dB and of dC at step t; steps come in falling order.
fn addBC(t: u32, lid: u32, v: u32, dB: vec4f, dC: vec4f) {
  let at = (t % K * CT + lid / L) * (2u * V * L + 1u) + lid % L * V + v;
  held[at] = dB;
  held[at + V * L] = dC;
}

// After every K-th step: the sums over the channels.
fn endStep(t: u32, lid: u32) {
  if (t % K == 0u) {
    const quads = 2u * V * L;
    workgroupBarrier();
    for (var i = lid; i < K * quads; i += WG) {
      var sum = vec4f(0.0f);
      for (var c = 0u; c < CT; c++) {
        sum += held[(i / quads * CT + c) * (quads + 1u) + i % quads];
      }
      summed[t * quads + i] = sum;
    }
    workgroupBarrier();
  }
}

fn bcSum(i: u32) -> f32 {
  return summed[i / 4u][i % 4u];
}
