// Puts one token's key, turned by its position, and its value into the cache, and moves the position on: a workgroup a row.
struct Params { m: u32, hkv: u32, p: u32, r: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> k: array<f32>; // [b, hkv, p]
@group(0) @binding(2) var<storage, read> v: array<f32>; // [b, hkv, p]
@group(0) @binding(3) var<storage, read_write> keys: array<u32>; // [b, m, hkv, p] floats, or as many halves
@group(0) @binding(4) var<storage, read_write> values: array<u32>; // as keys
@group(0) @binding(5) var<storage, read_write> position: array<i32>; // [b]
@group(0) @binding(6) var<storage, read> rotary: array<f32>; //: optional // [m, r]
override INTERLEAVED = false;
const HALVES = false;
const WG = 256u;

//: include parts/turned.wgsl
//: include ../shared/halves.wgsl

fn element(i: u32) -> f32 {
  return k[i];
}

fn keyBits(row: u32, i: u32, t: u32) -> u32 {
  return bitcast<u32>(turned(row * params.hkv * params.p + i - i % params.p, i % params.p, t));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = group.x + group.y * groups.x;
  let t = position[row];
  if (t >= 0 && u32(t) < params.m) {
    let width = params.hkv * params.p;
    let slot = (row * params.m + u32(t)) * width;
    if (HALVES) {
      for (var i = 2u * lid; i < width; i += 2u * WG) {
        let at = row * width + i;
        keys[(slot + i) / 2u] = halfBits(keyBits(row, i, u32(t))) | (halfBits(keyBits(row, i + 1u, u32(t))) << 16u);
        values[(slot + i) / 2u] = halfBits(bitcast<u32>(v[at])) | (halfBits(bitcast<u32>(v[at + 1u])) << 16u);
      }
    } else {
      for (var i = lid; i < width; i += WG) {
        keys[slot + i] = keyBits(row, i, u32(t));
        values[slot + i] = bitcast<u32>(v[row * width + i]);
      }
    }
  }
  // Every thread has read the position before it moves on.
  workgroupBarrier();
  if (lid == 0u) {
    position[row] = t + 1;
  }
}
