// dk and dv of one key (and value), a workgroup each, over the queries and heads that see it:
// dv_j = sum a_j dy, dk_j = scale sum dscore_j q (see queryGrad.wgsl).
struct Params { b: u32, l: u32, m: u32, h: u32, hkv: u32, p: u32, window: u32, scale: f32, softCap: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, p]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, m, hkv, p]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, m, hkv, p]
@group(0) @binding(4) var<storage, read> first: array<i32>; //: if HAS_FIRST // [b, l]
@group(0) @binding(5) var<storage, read> visible: array<f32>; //: if HAS_VISIBLE // [b, m]
@group(0) @binding(6) var<storage, read> dy: array<f32>; // [b, l, h, p]
@group(0) @binding(7) var<storage, read> stats: array<vec4f>; // [b, l, h]
@group(0) @binding(8) var<storage, read_write> dkv: array<f32>; // dk, then dv, each [b, m, hkv, p]
override CAPPED = false;
override HAS_FIRST = false;
override HAS_VISIBLE = false;
const WG = 64u;
var<workgroup> pairs: array<vec3f, WG>; // weight and dscore of a query, and whether it sees the key

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include parts/capped.wgsl
//: include parts/score.wgsl
//: include parts/lead.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let size = params.b * params.m * params.hkv;
  let key = min(id, size - 1u);
  let sharers = params.h / params.hkv;
  let j = key / params.hkv % params.m;
  let row = key / (params.hkv * params.m);
  let before = params.m - params.l;
  let tokens = params.l - (max(j, before) - before); // queries from the key's own token on
  for (var base = 0u; base < tokens * sharers; base += WG) {
    let i = base + lid;
    let t = params.l - tokens + min(i, tokens * sharers - 1u) / sharers;
    let head = key % params.hkv * sharers + i % sharers;
    let query = (row * params.l + t) * params.h + head;
    var pair = vec3f(0.0f);
    if (i < tokens * sharers && j >= firstKey(row, t) && sees(row, j, before + t)) {
      let stat = stats[query];
      let value = score(query, row, j, head);
      let weight = expAccurate(value - stat.x) / stat.y;
      pair = vec3f(weight, params.scale * cappedSlope(value) * weight * (lead(query, row, j, u32(stat.z), head) - stat.w), 1.0f);
    }
    pairs[lid] = pair;
    workgroupBarrier();
    for (var c = lid; c < params.p; c += WG) {
      var sums = vec2f(0.0f);
      if (base > 0u) {
        sums = vec2f(dkv[(size + key) * params.p + c], dkv[key * params.p + c]);
      }
      for (var s = 0u; s < WG && base + s < tokens * sharers; s++) {
        let token = params.l - tokens + (base + s) / sharers;
        let at = ((row * params.l + token) * params.h + key % params.hkv * sharers + (base + s) % sharers) * params.p + c;
        // What a query that does not see the key holds may be no number: it is not multiplied by 0.
        sums = select(sums, fma(pairs[s].xy, vec2f(dy[at], q[at]), sums), pairs[s].z > 0.0f);
      }
      if (id == key) {
        dkv[(size + key) * params.p + c] = sums.x;
        dkv[key * params.p + c] = sums.y;
      }
    }
    workgroupBarrier();
  }
}
