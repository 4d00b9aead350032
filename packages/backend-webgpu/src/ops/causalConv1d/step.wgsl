// One step of the causal convolution, a thread a channel; the state shifts by one and takes x in.
struct Params { b: u32, d: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [b, d]
@group(0) @binding(2) var<storage, read> weight: array<f32>; // [d, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(4) var<storage, read_write> state: array<f32>; // [b, k-1, d]
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [b, d]
override HAS_BIAS = false;
override SILU = false;

//: include ../shared/math.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.b * params.d) {
    return;
  }
  let c = i % params.d;
  let row = i / params.d;
  let input = x[i];
  var sum = weight[c * params.k + params.k - 1u] * input;
  if (HAS_BIAS) {
    sum += bias[c];
  }
  let base = row * (params.k - 1u) * params.d + c;
  for (var j = 0u; j + 1u < params.k; j++) {
    sum += weight[c * params.k + j] * state[base + j * params.d];
    if (j + 2u < params.k) {
      state[base + j * params.d] = state[base + (j + 1u) * params.d];
    } else {
      state[base + j * params.d] = input;
    }
  }
  y[i] = select(sum, silu(sum), SILU);
}
