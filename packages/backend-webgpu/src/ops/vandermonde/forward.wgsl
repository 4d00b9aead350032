// y[h, t] = 2 Re sum_n C_n exp(t logABar_n); every term anew, so that no error builds up along t.
struct Params { h: u32, n: u32, l: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> C: array<vec2f>; // [h, n]
@group(0) @binding(2) var<storage, read> logABar: array<vec2f>; // [h, n]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [h, l]

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include ../shared/turns.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.h * params.l) {
    return;
  }
  let t = f32(i % params.l);
  let base = i / params.l * params.n;
  var sum = 0.0f;
  for (var n = 0u; n < params.n; n++) {
    let c = C[base + n];
    let e = logABar[base + n];
    let turn = turned(t, e.y);
    sum += expAccurate(t * e.x) * (c.x * turn.x - c.y * turn.y);
  }
  y[i] = 2.0f * sum;
}
