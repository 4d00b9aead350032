// First pass of the backward convolution: e = dy silu'(convolution), the gradient at the sum before the activation.
struct Params { b: u32, l: u32, d: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> weight: array<f32>; // [d, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(4) var<storage, read> initialState: array<f32>; //: if HAS_INITIAL // [b, k-1, d]
@group(0) @binding(5) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(6) var<storage, read> dy: array<f32>; // [b, l, d]
@group(0) @binding(7) var<storage, read_write> e: array<f32>; // [b, l, d]
override HAS_BIAS = false;
override HAS_INITIAL = false;
override HAS_SEQ = false;

//: include ../shared/math.wgsl
//: include parts/together.wgsl
//: include parts/window.wgsl

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 128u + lane;
  if (i >= params.b * params.l * params.d) {
    return;
  }
  e[i] = dy[i] * siluSlope(convolveAt(i / (params.d * params.l), i / params.d % params.l, i % params.d));
}
