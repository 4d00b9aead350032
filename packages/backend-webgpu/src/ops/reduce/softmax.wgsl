// Softmax over the last axis, shifted by the row's largest value; a workgroup a row.
struct Params { rows: u32, n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, n]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, n]
const WG = 256u;
const LANES = WG;

//: include ../shared/math.wgsl
//: include ../shared/lanes/workgroup.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = group.x + group.y * groups.x;
  let base = min(row, params.rows - 1u) * params.n;
  var peak = x[base];
  for (var i = lid; i < params.n; i += WG) {
    peak = max(peak, x[base + i]);
  }
  peak = maxLanes(peak, lid);
  var total = 0.0f;
  for (var i = lid; i < params.n; i += WG) {
    total += expAccurate(x[base + i] - peak);
  }
  total = sumLanes(total, lid);
  if (row < params.rows) {
    for (var i = lid; i < params.n; i += WG) {
      y[base + i] = expAccurate(x[base + i] - peak) / total;
    }
  }
}
