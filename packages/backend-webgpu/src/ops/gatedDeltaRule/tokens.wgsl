// Query and key of each head at each token, of length one where the rule asks for it; exponentials of g; see parts/token.wgsl.
struct Params { count: u32, l: u32, h: u32, n: u32, scale: f32, l2eps: f32 } // count = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, n]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, l, h, n]
@group(0) @binding(3) var<storage, read> g: array<f32>; // [b, l, h] or [b, l, h, n]
@group(0) @binding(4) var<storage, read> beta: array<f32>; // [b, l, h]
@group(0) @binding(5) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQUENCES // [b, l]
@group(0) @binding(6) var<storage, read_write> tokens: array<vec4f>;
override HAS_SEQUENCES = false;
override L2NORM = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<vec3f, WG>;

//: include ../shared/math.wgsl
//: include parts/token.wgsl

fn fourOf(base: u32, i: u32, which: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var j = 0u; j < 4u && 4u * i + j < params.n; j++) {
    let at = base + 4u * i + j;
    switch which {
      case 0u: { four[j] = q[at]; }
      case 1u: { four[j] = k[at]; }
      default: { four[j] = expAccurate(g[at]); }
    }
  }
  return four;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let at = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  let inside = at < params.count;
  var sums = vec3f(0.0f); // of q q, k k, q k
  if (inside) {
    for (var i = lane; i < N4; i += LANES) {
      let query = fourOf(at * params.n, i, 0u);
      let key = fourOf(at * params.n, i, 1u);
      sums += vec3f(dot(query, query), dot(key, key), dot(query, key));
    }
  }
  parts[lid] = sums;
  workgroupBarrier();
  if (!inside) {
    return;
  }
  sums = vec3f(0.0f);
  for (var i = 0u; i < LANES; i++) {
    sums += parts[lid - lane + i];
  }
  var inverse = vec2f(1.0f);
  if (L2NORM) {
    inverse = vec2f(1.0f) / sqrt(sums.xy + params.l2eps);
  }
  for (var i = lane; i < N4; i += LANES) {
    tokens[queryOf(at) + i] = fourOf(at * params.n, i, 0u) * (inverse.x * params.scale);
    tokens[keyOf(at) + i] = fourOf(at * params.n, i, 1u) * inverse.y;
    if (WIDE) {
      tokens[decayOf(at) + i] = fourOf(at * params.n, i, 2u);
    }
  }
  if (lane == 0u) {
    if (!WIDE) {
      tokens[decayOf(at)] = vec4f(expAccurate(g[at]), 0.0f, 0.0f, 0.0f);
    }
    var restarts = 0.0f;
    if (HAS_SEQUENCES) {
      let token = at / params.h;
      restarts = select(0.0f, 1.0f, token % params.l > 0u && seqIdx[token] != seqIdx[max(token, 1u) - 1u]);
    }
    tokens[scalarsOf(at)] = vec4f(beta[at], sums.z * inverse.x * inverse.y * params.scale, restarts, 0.0f);
    tokens[scalarsOf(at) + 1u] = vec4f(inverse, 0.0f, 0.0f);
  }
}
