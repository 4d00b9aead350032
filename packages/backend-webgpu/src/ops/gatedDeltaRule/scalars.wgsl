// What every token of a chunked head needs: log decay, inverse length of the key, beta, whether a sequence begins; and the query's factor.
struct Params { count: u32, l: u32, h: u32, n: u32, scale: f32, l2eps: f32 } // count = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, n]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, l, h, n]
@group(0) @binding(3) var<storage, read> g: array<f32>; // [b, l, h]
@group(0) @binding(4) var<storage, read> beta: array<f32>; // [b, l, h]
@group(0) @binding(5) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQUENCES // [b, l]
@group(0) @binding(6) var<storage, read_write> coefficients: array<vec4f>; // [b, l, h]
@group(0) @binding(7) var<storage, read_write> factors: array<f32>; // [b, l, h], of q
override HAS_SEQUENCES = false;
override L2NORM = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let at = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  var sums = vec2f(0.0f); // of q q, k k
  if (L2NORM && at < params.count) {
    for (var i = lane; i < params.n; i += LANES) {
      let both = vec2f(q[at * params.n + i], k[at * params.n + i]);
      sums = fma(both, both, sums);
    }
  }
  parts[lid] = sums;
  workgroupBarrier();
  if (lane != 0u || at >= params.count) {
    return;
  }
  for (var i = 1u; i < LANES; i++) {
    sums += parts[lid + i];
  }
  var inverse = vec2f(1.0f);
  if (L2NORM) {
    inverse = vec2f(1.0f) / sqrt(sums + params.l2eps);
  }
  var restarts = 0.0f;
  if (HAS_SEQUENCES) {
    let token = at / params.h;
    restarts = select(0.0f, 1.0f, token % params.l > 0u && seqIdx[token] != seqIdx[max(token, 1u) - 1u]);
  }
  coefficients[at] = vec4f(g[at], inverse.y, beta[at], restarts);
  factors[at] = inverse.x * params.scale;
}
