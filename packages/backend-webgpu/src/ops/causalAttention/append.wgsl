// Puts one token's key, turned by its position, and its value into the cache, and moves the position on: a workgroup a row.
struct Params { m: u32, hkv: u32, p: u32, r: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> k: array<f32>; // [b, hkv, p]
@group(0) @binding(2) var<storage, read> v: array<f32>; // [b, hkv, p]
@group(0) @binding(3) var<storage, read_write> keys: array<f32>; // [b, m, hkv, p]
@group(0) @binding(4) var<storage, read_write> values: array<f32>; // [b, m, hkv, p]
@group(0) @binding(5) var<storage, read_write> position: array<i32>; // [b]
@group(0) @binding(6) var<storage, read> rotary: array<f32>; //: optional // [m, r]
override INTERLEAVED = false;
const WG = 256u;

//: include parts/turned.wgsl

fn element(i: u32) -> f32 {
  return k[i];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = group.x + group.y * groups.x;
  let t = position[row];
  if (t >= 0 && u32(t) < params.m) {
    let width = params.hkv * params.p;
    let slot = (row * params.m + u32(t)) * width;
    for (var i = lid; i < width; i += WG) {
      keys[slot + i] = turned(row * width + i - i % params.p, i % params.p, u32(t));
      values[slot + i] = v[row * width + i];
    }
  }
  // Every thread has read the position before it moves on.
  workgroupBarrier();
  if (lid == 0u) {
    position[row] = t + 1;
  }
}
