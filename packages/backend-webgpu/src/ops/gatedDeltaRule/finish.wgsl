// Gradients of q, k, g and beta of the tokens of a chunk: through the length where vectors were brought to length one, LANES threads a head.
struct Params { count: u32, l: u32, h: u32, n: u32, p: u32, heads: u32, begin: u32, scale: f32 } // count = tokens of the chunk times heads = b h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> sums: array<vec4f>; // [tokens, b, h, n]
@group(0) @binding(3) var<storage, read> dError: array<f32>; // [b, l, h, p]
@group(0) @binding(4) var<storage, read> missing: array<f32>; // [b, l, h, p]
@group(0) @binding(5) var<storage, read_write> dq: array<f32>; // [b, l, h, n]
@group(0) @binding(6) var<storage, read_write> dk: array<f32>; // [b, l, h, n]
@group(0) @binding(7) var<storage, read_write> dg: array<f32>; // [b, l, h] or [b, l, h, n]
@group(0) @binding(8) var<storage, read_write> dbeta: array<f32>; // [b, l, h]
override L2NORM = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<vec4f, WG>;

//: include parts/token.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let item = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  let inside = item < params.count;
  let head = item % params.heads;
  let at = (head / params.h * params.l + params.begin + item / params.heads) * params.h + head % params.h;
  var sum = vec4f(0.0f); // of dq query, dk key, dg, de missing
  if (inside) {
    for (var i = lane; i < params.n; i += LANES) {
      let own = sums[item * params.n + i];
      sum += vec4f(own.x * tokens[queryOf(at) + i / 4u][i % 4u], own.y * tokens[keyOf(at) + i / 4u][i % 4u], own.z, 0.0f);
    }
    for (var j = lane; j < params.p; j += LANES) {
      sum.w = fma(dError[at * params.p + j], missing[at * params.p + j], sum.w);
    }
  }
  parts[lid] = sum;
  workgroupBarrier();
  if (!inside) {
    return;
  }
  sum = vec4f(0.0f);
  for (var i = 0u; i < LANES; i++) {
    sum += parts[lid - lane + i];
  }
  let inverse = tokens[scalarsOf(at) + 1u].xy;
  let along = select(vec2f(0.0f), vec2f(sum.x / (params.scale * params.scale), sum.y), L2NORM);
  for (var i = lane; i < params.n; i += LANES) {
    let own = sums[item * params.n + i];
    let place = at * params.n + i;
    dq[place] = inverse.x * params.scale * (own.x - along.x * tokens[queryOf(at) + i / 4u][i % 4u]);
    dk[place] = inverse.y * (own.y - along.y * tokens[keyOf(at) + i / 4u][i % 4u]);
    if (WIDE) {
      dg[place] = own.z;
    }
  }
  if (lane == 0u) {
    dbeta[at] = sum.w;
    if (!WIDE) {
      dg[at] = sum.z;
    }
  }
}
