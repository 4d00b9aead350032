// Two floats in one word, as halves.
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [size, 2]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [size]

//: include ../shared/halves.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i < params.size) {
    y[i] = halfBits(x[2u * i]) | (halfBits(x[2u * i + 1u]) << 16u);
  }
}
