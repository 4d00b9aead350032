// y[h, t] = sum_n v_n / (z_t - w_n) + conj(v_n) / (z_t - conj(w_n)).
struct Params { h: u32, n: u32, l: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> v: array<vec2f>; // [h, n]
@group(0) @binding(2) var<storage, read> w: array<vec2f>; // [h, n]
@group(0) @binding(3) var<storage, read> z: array<vec2f>; // [l]
@group(0) @binding(4) var<storage, read_write> y: array<vec2f>; // [h, l]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.h * params.l) {
    return;
  }
  let node = z[i % params.l];
  let base = i / params.l * params.n;
  var sum = vec2f(0.0f);
  for (var n = 0u; n < params.n; n++) {
    for (var mirror = 0u; mirror < 2u; mirror++) {
      let sign = 1.0f - 2.0f * f32(mirror);
      let weight = v[base + n] * vec2f(1.0f, sign);
      let d = node - w[base + n] * vec2f(1.0f, sign);
      sum += vec2f(weight.x * d.x + weight.y * d.y, weight.y * d.x - weight.x * d.y) / dot(d, d);
    }
  }
  y[i] = sum;
}
