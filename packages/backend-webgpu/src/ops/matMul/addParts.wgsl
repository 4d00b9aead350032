// Adds the parts of a product that was split along k.
struct Params { size: u32, parts: u32, batch: u32 } // size of one matrix
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>; // [batch, parts, size]
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [batch, size]

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i >= params.size * params.batch) {
    return;
  }
  let base = i / params.size * params.parts * params.size + i % params.size;
  var sum = 0.0f;
  for (var p = 0u; p < params.parts; p++) {
    sum += parts[base + p * params.size];
  }
  out[i] = sum;
}
