// The choices by expert, in order: those of expert e stand in `order` from starts[e] to starts[e + 1]; what is no expert's comes last, from
// starts[experts] on. A workgroup an expert, without atomics: the same on every run.
struct Params { count: u32, experts: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<i32>; // [count]
@group(0) @binding(2) var<storage, read_write> starts: array<u32>; // [experts + 1]
@group(0) @binding(3) var<storage, read_write> order: array<u32>; // [count]
const WG = 128u;
var<workgroup> below: array<u32, WG>;
var<workgroup> own: array<u32, WG>;

fn expertOf(choice: u32) -> u32 {
  return min(bitcast<u32>(ids[choice]), params.experts);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let expert = group.x + group.y * groups.x;
  // Each thread has a stretch of the choices.
  let stretch = (params.count + WG - 1u) / WG;
  let begin = min(lid * stretch, params.count);
  let until = min(begin + stretch, params.count);
  var lower = 0u;
  var equal = 0u;
  for (var i = begin; i < until; i++) {
    let other = expertOf(i);
    lower += select(0u, 1u, other < expert);
    equal += select(0u, 1u, other == expert);
  }
  below[lid] = lower;
  own[lid] = equal;
  workgroupBarrier();
  var at = 0u;
  for (var i = 0u; i < WG; i++) {
    at += below[i] + select(0u, own[i], i < lid);
  }
  if (lid == 0u && expert <= params.experts) {
    starts[expert] = at;
  }
  for (var i = begin; i < until; i++) {
    if (expertOf(i) == expert) {
      order[at] = i;
      at++;
    }
  }
}
