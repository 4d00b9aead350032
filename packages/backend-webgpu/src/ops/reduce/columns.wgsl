// Sum, maximum or minimum over a middle axis, a thread a column and part of it.
struct Params { outer: u32, extent: u32, inner: u32, part: u32, parts: u32 } // elements a part, parts a column
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [outer, extent, inner]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [outer, parts, inner]
const OP = 0u; // 0 sum, 1 max, 2 min, 4 largest absolute value
const INT = false;
const AHEAD = 8u;

fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lid;
  if (i >= params.outer * params.parts * params.inner) {
    return;
  }
  let column = i % params.inner;
  let part = i / params.inner % params.parts;
  let base = i / (params.inner * params.parts) * params.extent;
  let begin = part * params.part;
  let end = min(begin + params.part, params.extent);
  if (INT) {
    var sum = select(bitcast<i32>(x[(base + begin) * params.inner + column]), 0, OP == 0u);
    for (var k = begin; k < end; k++) {
      let v = bitcast<i32>(x[(base + k) * params.inner + column]);
      sum = select(select(min(sum, v), max(sum, v), OP == 1u), sum + v, OP == 0u);
    }
    y[i] = bitcast<u32>(sum);
  } else {
    var sum = select(bitcast<f32>(x[(base + begin) * params.inner + column]), 0.0f, OP == 0u || OP == 4u);
    // So many are on their way from memory at once.
    for (var k0 = begin; k0 < end; k0 += AHEAD) {
      var next: array<f32, AHEAD>;
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        next[a] = bitcast<f32>(x[(base + min(k0 + a, end - 1u)) * params.inner + column]);
      }
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        if (k0 + a < end) {
          let v = select(next[a], abs(next[a]), OP == 4u);
          if (OP == 0u) {
            sum += v;
          } else if (isNan(v) || isNan(sum)) {
            sum = select(sum, v, isNan(v));
          } else {
            sum = select(min(sum, v), max(sum, v), OP != 2u);
          }
        }
      }
    }
    y[i] = bitcast<u32>(sum);
  }
}
