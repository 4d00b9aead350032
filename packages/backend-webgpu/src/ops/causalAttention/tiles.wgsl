// Causal softmax attention, a query and head a thread, WG neighbouring queries a workgroup: keys and values come by in tiles
// through workgroup memory, and the softmax keeps a running peak and sum, so that nothing of order l m is kept.
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
const PQ = 16u; // vec4s of a query
const TILE = 32u; // keys a tile, a multiple of BLOCK
const BLOCK = 8u; // keys between two looks at the peak
var<workgroup> keys: array<vec4f, TILE * PQ>;
var<workgroup> values: array<vec4f, TILE * PQ>;
var<workgroup> shown: array<u32, TILE>;

//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include parts/capped.wgsl
//: include parts/score.wgsl

fn quadOf(isValue: bool, at: u32, c: u32) -> vec4f {
  var four = vec4f(0.0f);
  for (var i = 0u; i < 4u; i++) {
    if (4u * c + i < params.p) {
      if (isValue) {
        four[i] = v[at + 4u * c + i];
      } else {
        four[i] = k[at + 4u * c + i];
      }
    }
  }
  return four;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= params.b * params.h) {
    return;
  }
  let row = id / params.h;
  let head = id % params.h;
  let t0 = group.x * WG;
  let t = min(t0 + lid, params.l - 1u);
  let query = (row * params.l + t) * params.h + head;
  let before = params.m - params.l;
  let begin = firstKey(row, t);
  var mine: array<vec4f, PQ>;
  var sums: array<vec4f, PQ>;
  //: unroll
  for (var c = 0u; c < PQ; c++) {
    for (var i = 0u; i < 4u; i++) {
      if (4u * c + i < params.p) {
        mine[c][i] = q[query * params.p + 4u * c + i];
      }
    }
  }
  // The own token is always seen, so its score is a peak to start from.
  var peak = score(query, row, before + t, head);
  var total = 0.0f;
  if (HAS_SINK) {
    peak = max(peak, sink[head]);
    total = expAccurate(sink[head] - peak);
  }
  let end = before + min(t0 + WG, params.l);
  for (var base = firstKey(row, t0); base < end; base += TILE) {
    workgroupBarrier();
    for (var i = lid; i < TILE * PQ; i += WG) {
      let at = keyAt(row, min(base + i / PQ, params.m - 1u), head);
      keys[i] = quadOf(false, at, i % PQ);
      values[i] = quadOf(true, at, i % PQ);
    }
    for (var i = lid; i < TILE; i += WG) {
      shown[i] = u32(sees(row, base + i, min(base + i + 1u, params.m)));
    }
    workgroupBarrier();
    for (var inner = 0u; inner < TILE; inner += BLOCK) {
      var scores: array<f32, BLOCK>;
      var highest = peak;
      //: unroll
      for (var s = 0u; s < BLOCK; s++) {
        var sum = vec4f(0.0f);
        //: unroll
        for (var c = 0u; c < PQ; c++) {
          sum = fma(mine[c], keys[(inner + s) * PQ + c], sum);
        }
        let j = base + inner + s;
        let seen = j >= begin && (j == before + t || (j < before + t && shown[inner + s] != 0u));
        scores[s] = capped(((sum.x + sum.y) + (sum.z + sum.w)) * params.scale);
        highest = select(highest, max(highest, scores[s]), seen);
        scores[s] = select(-3.0e38f, scores[s], seen);
      }
      let shrink = expAccurate(peak - highest);
      peak = highest;
      total *= shrink;
      //: unroll
      for (var c = 0u; c < PQ; c++) {
        sums[c] *= shrink;
      }
      //: unroll
      for (var s = 0u; s < BLOCK; s++) {
        let weight = select(0.0f, expAccurate(scores[s] - peak), scores[s] > -2.0e38f || isNan(scores[s]));
        total += weight;
        if (weight != 0.0f) { // what is hidden may hold anything
          //: unroll
          for (var c = 0u; c < PQ; c++) {
            sums[c] = fma(vec4f(weight), values[(inner + s) * PQ + c], sums[c]);
          }
        }
      }
    }
  }
  if (t0 + lid >= params.l) {
    return;
  }
  //: unroll
  for (var c = 0u; c < PQ; c++) {
    for (var i = 0u; i < 4u; i++) {
      if (4u * c + i < params.p) {
        y[query * params.p + 4u * c + i] = sums[c][i] / total;
      }
    }
  }
  if (KEEP_STATS) {
    var drawn = 0.0f;
    if (HAS_SINK) {
      drawn = expAccurate(sink[head] - peak) / total;
    }
    stats[query] = vec4f(peak, total, drawn, 0.0f);
  }
}
