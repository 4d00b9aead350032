// dq of one query and head, a workgroup each. With a the weights, g_j = dy . v_j and g their mean under a:
// dscore_j = a_j (g_j - g), dq = scale sum_j dscore_j k_j. The g_j are taken relative to that of the key with the largest
// weight: where one key has nearly all of it, g_j - g would otherwise be lost in rounding. What a sink draws has no value, so that of it the mean has
// that key's g less.
struct Params { b: u32, l: u32, m: u32, h: u32, hkv: u32, p: u32, window: u32, scale: f32, softCap: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, p]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, m, hkv, p]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, m, hkv, p]
@group(0) @binding(4) var<storage, read> first: array<i32>; //: if HAS_FIRST // [b, l]
@group(0) @binding(5) var<storage, read> visible: array<f32>; //: if HAS_VISIBLE // [b, m]
@group(0) @binding(6) var<storage, read> dy: array<f32>; // [b, l, h, p]
@group(0) @binding(7) var<storage, read_write> stats: array<vec4f>; // in: peak, sum, the sink's weight; out: peak, sum, the key with the largest weight, and g; [b, l, h]
@group(0) @binding(8) var<storage, read_write> dq: array<f32>; // [b, l, h, p]
override CAPPED = false;
override HAS_FIRST = false;
override HAS_VISIBLE = false;
const WG = 64u;
const LANES = WG;
var<workgroup> slopes: array<vec2f, WG>; // of a key's score, and whether it is seen

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include parts/capped.wgsl
//: include ../shared/lanes/workgroup.wgsl
//: include parts/score.wgsl
//: include parts/lead.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let size = params.b * params.l * params.h;
  let query = min(id, size - 1u);
  let head = query % params.h;
  let t = query / params.h % params.l;
  let row = query / (params.h * params.l);
  let own = params.m - params.l + t;
  let stat = stats[query];
  let begin = firstKey(row, t);
  var best = score(query, row, own, head);
  var index = own;
  for (var j = begin + lid; j <= own; j += WG) {
    let value = score(query, row, j, head);
    if (value > best && sees(row, j, own)) {
      best = value;
      index = j;
    }
  }
  let peak = maxLanes(best, lid);
  let leader = u32(-maxLanes(select(-1.0e9f, -f32(index), best == peak), lid));
  var mean = 0.0f;
  for (var j = begin + lid; j <= own; j += WG) {
    if (sees(row, j, own)) {
      mean += expAccurate(score(query, row, j, head) - stat.x) / stat.y * lead(query, row, j, leader, head);
    }
  }
  mean = sumLanes(mean, lid);
  if (stat.z != 0.0f) {
    let at = keyAt(row, leader, head);
    for (var c = 0u; c < params.p; c++) {
      mean -= stat.z * dy[query * params.p + c] * v[at + c];
    }
  }
  for (var base = begin; base <= own; base += WG) {
    let j = base + lid;
    var slope = vec2f(0.0f);
    if (j <= own && sees(row, j, own)) {
      let value = score(query, row, j, head);
      let weight = expAccurate(value - stat.x) / stat.y;
      slope = vec2f(params.scale * cappedSlope(value) * weight * (lead(query, row, j, leader, head) - mean), 1.0f);
    }
    slopes[lid] = slope;
    workgroupBarrier();
    for (var c = lid; c < params.p; c += WG) {
      var sum = select(0.0f, dq[query * params.p + c], base > begin);
      for (var i = 0u; i < WG && base + i <= own; i++) {
        sum = select(sum, fma(slopes[i].x, k[keyAt(row, base + i, head) + c], sum), slopes[i].y > 0.0f);
      }
      if (id == query) {
        dq[query * params.p + c] = sum;
      }
    }
    workgroupBarrier();
  }
  if (lid == 0u && id == query) {
    stats[query] = vec4f(stat.x, stat.y, f32(leader), mean);
  }
}
