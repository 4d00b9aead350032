// With E_t = exp(t logABar): dC = 2 sum_t dy_t conj(E_t), dLogABar = 2 sum_t t dy_t conj(C E_t). A workgroup a pair (h, n).
struct Params { h: u32, n: u32, l: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> C: array<vec2f>; // [h, n]
@group(0) @binding(2) var<storage, read> logABar: array<vec2f>; // [h, n]
@group(0) @binding(3) var<storage, read> dy: array<f32>; // [h, l]
@group(0) @binding(4) var<storage, read_write> dC: array<vec2f>; // [h, n]
@group(0) @binding(5) var<storage, read_write> dLog: array<vec2f>; // [h, n]
const WG = 64u;
const LANES = WG;

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include ../shared/turns.wgsl
//: include ../shared/lanes/workgroup.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let i = min(id, params.h * params.n - 1u);
  let c = C[i];
  let e = logABar[i];
  var forC = vec2f(0.0f);
  var forLog = vec2f(0.0f);
  for (var step = lid; step < params.l; step += WG) {
    let t = f32(step);
    let value = 2.0f * dy[i / params.n * params.l + step] * expAccurate(t * e.x) * turned(t, e.y);
    forC += vec2f(value.x, -value.y);
    forLog += t * vec2f(value.x * c.x - value.y * c.y, -(value.x * c.y + value.y * c.x));
  }
  let sums = vec4f(sumLanes(forC.x, lid), sumLanes(forC.y, lid), sumLanes(forLog.x, lid), sumLanes(forLog.y, lid));
  if (lid == 0u && id == i) {
    dC[i] = sums.xy;
    dLog[i] = sums.zw;
  }
}
