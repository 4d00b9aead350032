// Another type, element by element.
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
const MODE = 1u; // 1 float32 to int32, 2 int32 or bool to float32, 3 float32 to bool, 4 int32 to bool

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i >= params.size) {
    return;
  }
  switch MODE {
    case 1u: { y[i] = bitcast<u32>(i32(bitcast<f32>(x[i]))); }
    case 2u: { y[i] = bitcast<u32>(f32(bitcast<i32>(x[i]))); }
    case 3u: { y[i] = u32(bitcast<f32>(x[i]) != 0.0f); }
    default: { y[i] = u32(x[i] != 0u); }
  }
}
