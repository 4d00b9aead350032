// Causal softmax attention of one query and head, a workgroup each: first the largest score and the sum, then the values.
struct Params { b: u32, l: u32, m: u32, h: u32, hkv: u32, p: u32, window: u32, scale: f32, softCap: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, l, h, p]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, m, hkv, p]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, m, hkv, p]
@group(0) @binding(4) var<storage, read> first: array<i32>; //: if HAS_FIRST // [b, l], first key of the query's sequence
@group(0) @binding(5) var<storage, read> visible: array<f32>; //: if HAS_VISIBLE // [b, m]
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // [b, l, h, p]
@group(0) @binding(7) var<storage, read_write> stats: array<vec4f>; //: if KEEP_STATS // [b, l, h], largest score, sum of exponentials, what the sink draws
@group(0) @binding(8) var<storage, read> sink: array<f32>; //: if HAS_SINK // [h]
override CAPPED = false;
override HAS_FIRST = false;
override HAS_SINK = false;
override HAS_VISIBLE = false;
override KEEP_STATS = false;
const WG = 64u;
const LANES = WG;
var<workgroup> weights: array<f32, WG>;

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include parts/capped.wgsl
//: include ../shared/lanes/workgroup.wgsl
//: include parts/score.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  let query = min(id, params.b * params.l * params.h - 1u);
  let head = query % params.h;
  let t = query / params.h % params.l;
  let row = query / (params.h * params.l);
  let own = params.m - params.l + t;
  var peak = score(query, row, own, head);
  for (var j = firstKey(row, t) + lid; j <= own; j += WG) {
    if (sees(row, j, own)) {
      peak = max(peak, score(query, row, j, head));
    }
  }
  peak = maxLanes(peak, lid);
  var drawn = 0.0f;
  if (HAS_SINK) {
    peak = max(peak, sink[head]);
    drawn = expAccurate(sink[head] - peak);
  }
  var total = select(0.0f, drawn, lid == 0u);
  let begin = firstKey(row, t);
  for (var base = begin; base <= own; base += WG) {
    let j = base + lid;
    var weight = 0.0f;
    if (j <= own && sees(row, j, own)) {
      weight = expAccurate(score(query, row, j, head) - peak);
    }
    total += weight;
    weights[lid] = weight;
    workgroupBarrier();
    for (var c = lid; c < params.p; c += WG) {
      var sum = select(0.0f, y[query * params.p + c], base > begin);
      for (var i = 0u; i < WG && base + i <= own; i++) {
        if (weights[i] != 0.0f) { // what is hidden may hold anything
          sum += weights[i] * v[keyAt(row, base + i, head) + c];
        }
      }
      if (id == query) {
        y[query * params.p + c] = sum;
      }
    }
    workgroupBarrier();
  }
  total = sumLanes(total, lid);
  if (id == query) {
    for (var c = lid; c < params.p; c += WG) {
      y[query * params.p + c] /= total;
    }
    if (KEEP_STATS && lid == 0u) {
      stats[query] = vec4f(peak, total, drawn / total, 0.0f);
    }
  }
}
