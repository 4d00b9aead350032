// Sums of rows: out[i] = sum over r of parts[offset + r count + i].
struct Params { count: u32, rows: u32, offset: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 128u + lane;
  if (i >= params.count) {
    return;
  }
  var sum = 0.0f;
  for (var r = 0u; r < params.rows; r++) {
    sum += parts[params.offset + r * params.count + i];
  }
  out[i] = sum;
}
