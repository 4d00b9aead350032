// Depthwise causal convolution with long filters, summed directly: y_t = sum_{j <= t} k_j u_{t-j} + D u_t.
// REVERSE: the correlation that is its adjoint, y_s = sum_{t >= s} k_{t-s} u_t + D u_s.
struct Params { b: u32, l: u32, d: u32, m: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [d, m]
@group(0) @binding(3) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [b, l, d]
override HAS_D = false;
override REVERSE = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.b * params.l * params.d) {
    return;
  }
  let c = i % params.d;
  let t = i / params.d % params.l;
  let taps = min(params.m, select(t + 1u, params.l - t, REVERSE));
  var sum = 0.0f;
  for (var j = 0u; j < taps; j++) {
    sum = fma(k[c * params.m + j], u[select(i - j * params.d, i + j * params.d, REVERSE)], sum);
  }
  if (HAS_D) {
    sum = fma(D[c], u[i], sum);
  }
  y[i] = sum;
}
