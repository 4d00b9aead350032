// dk_j = sum over rows and t of u_{t-j} dy_t, and dD, which is the same as dk_0. A thread a channel and tap.
struct Params { b: u32, l: u32, d: u32, m: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> dy: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read_write> dk: array<f32>; // [d, m]
@group(0) @binding(4) var<storage, read_write> dD: array<f32>; //: if HAS_D // [d]
override HAS_D = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.d * params.m) {
    return;
  }
  // Neighbouring threads take neighbouring channels, whose inputs lie side by side.
  let c = i % params.d;
  let j = i / params.d;
  var sum = 0.0f;
  for (var row = 0u; row < params.b; row++) {
    for (var t = j; t < params.l; t++) {
      let at = (row * params.l + t) * params.d + c;
      sum = fma(u[at - j * params.d], dy[at], sum);
    }
  }
  dk[c * params.m + j] = sum;
  if (HAS_D && j == 0u) {
    dD[c] = sum;
  }
}
