// With r = 1 / (z - w): dv = sum_t conj(r) dy, dw = sum_t conj(v r^2) dy; the mirrored term's share is conjugated back.
// A workgroup a pair (h, n).
struct Params { h: u32, n: u32, l: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> v: array<vec2f>; // [h, n]
@group(0) @binding(2) var<storage, read> w: array<vec2f>; // [h, n]
@group(0) @binding(3) var<storage, read> z: array<vec2f>; // [l]
@group(0) @binding(4) var<storage, read> dy: array<vec2f>; // [h, l]
@group(0) @binding(5) var<storage, read_write> dv: array<vec2f>; // [h, n]
@group(0) @binding(6) var<storage, read_write> dw: array<vec2f>; // [h, n]
const WG = 64u;
const LANES = WG;

//: include ../shared/lanes/workgroup.wgsl

// conj(a) b
fn conjTimes(a: vec2f, b: vec2f) -> vec2f {
  return vec2f(a.x * b.x + a.y * b.y, a.x * b.y - a.y * b.x);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let i = min(id, params.h * params.n - 1u);
  var forV = vec2f(0.0f);
  var forW = vec2f(0.0f);
  for (var t = lid; t < params.l; t += WG) {
    let g = dy[i / params.n * params.l + t];
    for (var mirror = 0u; mirror < 2u; mirror++) {
      let flip = vec2f(1.0f, 1.0f - 2.0f * f32(mirror));
      let d = z[t] - w[i] * flip;
      let r = vec2f(d.x, -d.y) / dot(d, d);
      let a = conjTimes(r, g);
      let weight = v[i] * flip;
      let vr = vec2f(weight.x * r.x - weight.y * r.y, weight.x * r.y + weight.y * r.x);
      forV += a * flip;
      forW += conjTimes(vr, a) * flip;
    }
  }
  let sums = vec4f(sumLanes(forV.x, lid), sumLanes(forV.y, lid), sumLanes(forW.x, lid), sumLanes(forW.y, lid));
  if (lid == 0u && id == i) {
    dv[i] = sums.xy;
    dw[i] = sums.zw;
  }
}
