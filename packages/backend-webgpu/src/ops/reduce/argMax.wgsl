// Index of the largest element along an axis, the lowest index at a tie; a workgroup a row.
struct Params { rows: u32, extent: u32, inner: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [rows / inner, extent, inner]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [rows]
const INT = false;
const WG = 256u;
var<workgroup> values: array<f32, WG>;
var<workgroup> ints: array<i32, WG>;
var<workgroup> indices: array<u32, WG>;

fn beats(a: u32, b: u32) -> bool {
  if (INT) {
    return ints[a] > ints[b] || (ints[a] == ints[b] && indices[a] < indices[b]);
  }
  return values[a] > values[b] || (values[a] == values[b] && indices[a] < indices[b]);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = group.x + group.y * groups.x;
  let clamped = min(row, params.rows - 1u);
  let base = clamped / params.inner * params.extent * params.inner + clamped % params.inner;
  let first = min(lid, params.extent - 1u);
  var best = bitcast<f32>(x[base + first * params.inner]);
  var bestInt = bitcast<i32>(x[base + first * params.inner]);
  var index = first;
  for (var k = lid; k < params.extent; k += WG) {
    let v = x[base + k * params.inner];
    if (INT) {
      if (bitcast<i32>(v) > bestInt) {
        bestInt = bitcast<i32>(v);
        index = k;
      }
    } else if (bitcast<f32>(v) > best) {
      best = bitcast<f32>(v);
      index = k;
    }
  }
  values[lid] = best;
  ints[lid] = bestInt;
  indices[lid] = index;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid < half && beats(lid + half, lid)) {
      values[lid] = values[lid + half];
      ints[lid] = ints[lid + half];
      indices[lid] = indices[lid + half];
    }
  }
  workgroupBarrier();
  if (lid == 0u && row < params.rows) {
    y[row] = indices[0];
  }
}
