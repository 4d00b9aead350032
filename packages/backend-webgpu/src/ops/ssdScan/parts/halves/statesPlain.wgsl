// Without matrix units: what they would make, an element at a time.
var<workgroup> exchanged: array<u32, WG>;
var<workgroup> keyHalves: array<Halves, Q * N / 8u>;

fn largestOfRow(value: u32, lid: u32) -> u32 {
  exchanged[lid] = value;
  workgroupBarrier();
  var largest = 0u;
  for (var i = 0u; i < SHARERS; i++) {
    largest = max(largest, exchanged[lid / SHARERS * SHARERS + i]);
  }
  return largest;
}
fn tellLargest(value: u32, lid: u32, turn: u32) {
  atomicMax(&peaks[turn], value);
}
fn placeKey(row: u32, eight: u32, halves: Halves) {
  keyHalves[row * (N / 8u) + eight] = halves;
}
fn halfIn(eights: vec4u, i: u32) -> f32 {
  return unpack2x16float(eights[i / 2u])[i % 2u];
}

fn multiply(lid: u32, subgroup: u32, before: u32, first: u32, end: u32) {
  placeKeys(lid);
  workgroupBarrier();
  for (var owner = first; owner < end; owner++) {
    let turn = (owner - first) % 2u;
    let scale = placeValues(bringValues(lid, owner - before), bringScales(lid, owner), lid, turn);
    for (var i = lid; i < P * N; i += WG) {
      let m = i / N;
      let n = i % N;
      var sum = 0.0f;
      for (var k = 0u; k < Q; k++) {
        let high = halfIn(tile[blockOf(2u * turn, k, m / 8u)][placeOf(k, m / 8u)], m % 8u);
        let low = halfIn(tile[blockOf(2u * turn + 1u, k, m / 8u)][placeOf(k, m / 8u)], m % 8u);
        let key = keyHalves[k * (N / 8u) + n / 8u];
        let keyHigh = halfIn(key.high, n % 8u);
        sum += high * keyHigh + (high * halfIn(key.low, n % 8u) + low * keyHigh);
      }
      states[owner * P * N + i] = sum * scale;
    }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  run(group.x + group.y * groups.x, lid, 0u);
}
