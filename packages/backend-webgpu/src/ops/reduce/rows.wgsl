// Sum (or sum of squares), maximum or minimum over the last axis, one workgroup a part of a row.
struct Params { rows: u32, extent: u32, part: u32, parts: u32 } // elements a part, parts a row
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [rows, extent]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [rows, parts]
const OP = 0u; // 0 sum, 1 max, 2 min, 3 sum of squares, 4 largest absolute value
const INT = false;
const WG = 256u;
var<workgroup> floats: array<f32, WG>;
var<workgroup> ints: array<i32, WG>;

fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn join(a: f32, b: f32) -> f32 {
  if ((OP == 1u || OP == 2u || OP == 4u) && (isNan(a) || isNan(b))) {
    return select(b, a, isNan(a));
  }
  switch OP {
    case 1u, 4u: { return max(a, b); }
    case 2u: { return min(a, b); }
    default: { return a + b; }
  }
}
fn joinInt(a: i32, b: i32) -> i32 {
  switch OP {
    case 1u: { return max(a, b); }
    case 2u: { return min(a, b); }
    default: { return a + b; }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let row = min(id / params.parts, params.rows - 1u);
  let begin = id % params.parts * params.part;
  let end = min(begin + params.part, params.extent);
  let base = row * params.extent;
  if (INT) {
    var sum = select(bitcast<i32>(x[base + begin]), 0, OP == 0u);
    for (var i = begin + lid; i < end; i += WG) {
      sum = joinInt(sum, bitcast<i32>(x[base + i]));
    }
    ints[lid] = sum;
  } else {
    var sum = select(bitcast<f32>(x[base + begin]), 0.0f, OP == 0u || OP == 3u || OP == 4u);
    for (var i = begin + lid; i < end; i += WG) {
      let v = bitcast<f32>(x[base + i]);
      sum = join(sum, select(select(v, v * v, OP == 3u), abs(v), OP == 4u));
    }
    floats[lid] = sum;
  }
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid < half) {
      if (INT) {
        ints[lid] = joinInt(ints[lid], ints[lid + half]);
      } else {
        floats[lid] = join(floats[lid], floats[lid + half]);
      }
    }
  }
  workgroupBarrier();
  if (lid == 0u && id < params.rows * params.parts) {
    if (INT) {
      y[id] = bitcast<u32>(ints[0]);
    } else {
      y[id] = bitcast<u32>(floats[0]);
    }
  }
}
