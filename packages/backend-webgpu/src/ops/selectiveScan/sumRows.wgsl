// Sums of rows: out[i] = sum over r of parts[offset + r count + i].
struct Params { count: u32, rows: u32, offset: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.count) {
    return;
  }
  // Four sums, so that the loads do not wait for one another.
  var sum = vec4f(0.0f);
  for (var r = 0u; r < params.rows; r += 4u) {
    //: unroll
    for (var j = 0u; j < 4u; j++) {
      sum[j] += select(0.0f, parts[params.offset + min(r + j, params.rows - 1u) * params.count + i], r + j < params.rows);
    }
  }
  out[i] = (sum.x + sum.y) + (sum.z + sum.w);
}
