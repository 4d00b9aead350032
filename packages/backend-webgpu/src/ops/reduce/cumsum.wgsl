// Running sum along an axis, a thread a line.
struct Params { lines: u32, extent: u32, inner: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [lines / inner, extent, inner]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
override EXCLUSIVE = false;
override REVERSE = false;
const INT = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let line = (group.x + group.y * groups.x) * 64u + lid;
  if (line >= params.lines) {
    return;
  }
  let base = line / params.inner * params.extent * params.inner + line % params.inner;
  var sum = 0.0f;
  // What rounding took from the sum so far goes back with the next element (Kahan).
  var lost = 0.0f;
  var sumInt = 0;
  for (var k = 0u; k < params.extent; k++) {
    let at = base + select(k, params.extent - 1u - k, REVERSE) * params.inner;
    let before = select(bitcast<u32>(sum), bitcast<u32>(sumInt), INT);
    sumInt += bitcast<i32>(x[at]);
    let term = bitcast<f32>(x[at]) - lost;
    let next = sum + term;
    lost = (next - sum) - term;
    sum = next;
    y[at] = select(select(bitcast<u32>(sum), bitcast<u32>(sumInt), INT), before, EXCLUSIVE);
  }
}
