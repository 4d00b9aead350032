// The gradient of each query's sink, a thread each: what it draws of the query has no value, so -a (dy . y). They are summed over queries afterwards.
struct Params { size: u32, h: u32, p: u32 } // size = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>; // [b, l, h, p]
@group(0) @binding(2) var<storage, read> dy: array<f32>; // [b, l, h, p]
@group(0) @binding(3) var<storage, read> stats: array<vec4f>; // [b, l, h], largest score and sum of exponentials
@group(0) @binding(4) var<storage, read> sink: array<f32>; // [h]
@group(0) @binding(5) var<storage, read_write> dsink: array<f32>; // [b, l, h]

//: include ../shared/math.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.size) {
    return;
  }
  var sum = 0.0f;
  for (var c = 0u; c < params.p; c++) {
    sum += dy[i * params.p + c] * y[i * params.p + c];
  }
  let stat = stats[i];
  dsink[i] = -sum * expAccurate(sink[i % params.h] - stat.x) / stat.y;
}
