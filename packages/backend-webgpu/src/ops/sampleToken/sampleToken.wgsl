// The next token of a row from its logits, a workgroup a row; each thread keeps to its own range of the vocabulary, so that what it
// puts into `scratch` is read by nobody else. See the specification for the meaning, parts/fixed.wgsl for the arithmetic.
struct Params { v: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [b, v]
@group(0) @binding(2) var<storage, read> settings: array<f32>; // [b, 8]
@group(0) @binding(3) var<storage, read_write> random: array<u32>; // [b, 4]
@group(0) @binding(4) var<storage, read_write> ids: array<i32>; // [b]
@group(0) @binding(5) var<storage, read_write> counts: array<i32>; //: if HAS_COUNTS // [b, v]
@group(0) @binding(6) var<storage, read_write> scratch: array<u32>; // [b, 2, v]: weights, penalised scores
@group(0) @binding(7) var<storage, read_write> logprobs: array<f32>; //: if HAS_LOGPROB // [b]
override HAS_COUNTS = false;
override HAS_LOGPROB = false;
const WG = 256u; // or a multiple of it
const LANES = WG;
const BLOCK = 16u;
var<workgroup> parts: array<vec2u, WG>;
var<workgroup> blocks: array<vec2u, WG / BLOCK>;
var<workgroup> bins: array<atomic<u32>, 768>; // sums of weights by digit, in limbs of 11, 11 and 10 bits
var<workgroup> found: vec3u;
var<workgroup> chosen: i32;

//: include ../shared/math.wgsl
//: include ../shared/lanes/workgroup.wgsl
//: include parts/fixed.wgsl

// One row, as all its threads know it.
struct Row { index: u32, best: f32, sharpness: f32 }
var<private> range: vec2u; // the thread's own part of the row, up to y

fn weightPlace(row: Row, i: u32) -> u32 {
  return row.index * 2u * params.v + i;
}

fn scoreAt(row: Row, i: u32) -> f32 {
  if (HAS_COUNTS) {
    return bitcast<f32>(scratch[weightPlace(row, params.v + i)]);
  }
  return logits[row.index * params.v + i];
}

fn penalise(row: Row) {
  let own = 8u * row.index;
  for (var i = range.x; i < range.y; i++) {
    var score = logits[row.index * params.v + i];
    let count = counts[row.index * params.v + i];
    if (count != 0) {
      score *= select(settings[own + 5u], settings[own + 4u], score < 0.0f);
    }
    let generated = count & 0x3fffffff;
    if (generated != 0) {
      score -= settings[own + 6u];
      score -= settings[own + 7u] * f32(generated);
    }
    scratch[weightPlace(row, params.v + i)] = bitcast<u32>(score);
  }
}

//: include parts/best.wgsl
//: include parts/rank.wgsl
//: include parts/draw.wgsl

fn logProbability(row: Row, id: i32, lid: u32) -> f32 {
  var best = logits[row.index * params.v];
  for (var i = range.x; i < range.y; i++) {
    best = max(best, logits[row.index * params.v + i]);
  }
  best = maxLanes(best, lid);
  var sum = 0.0f;
  for (var i = range.x; i < range.y; i++) {
    sum += expAccurate(logits[row.index * params.v + i] - best);
  }
  sum = sumLanes(sum, lid);
  return logits[row.index * params.v + u32(max(id, 0))] - best - log(sum);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let size = (params.v + WG - 1u) / WG;
  range = min(vec2u(lid * size, lid * size + size), vec2u(params.v));
  var row = Row(group.x, 0.0f, settings[8u * group.x]);
  let state = vec4u(random[4u * row.index], random[4u * row.index + 1u], random[4u * row.index + 2u], random[4u * row.index + 3u]);
  if (HAS_COUNTS) {
    penalise(row);
  }
  let best = bestOf(row, lid);
  // Neither a NaN nor an infinite largest score, nor none above -infinity.
  let valid = best.x > 0x007fffffu && best.x < 0xff800000u;
  if (lid == 0u) {
    chosen = select(-1, i32(best.y), valid);
  }
  if (valid && row.sharpness != 0.0f) {
    row.best = scoreOf(best.x);
    workgroupBarrier();
    draw(row, threefry(state), lid);
  }
  let id = workgroupUniformLoad(&chosen);
  if (HAS_LOGPROB) {
    let logprob = logProbability(row, id, lid);
    if (lid == 0u) {
      logprobs[row.index] = select(bitcast<f32>(0x7fc00000u | params.v), logprob, id >= 0);
    }
  }
  if (lid == 0u) {
    ids[row.index] = id;
    random[4u * row.index + 2u] = state.z + 1u;
    random[4u * row.index + 3u] = state.w + select(0u, 1u, state.z == 0xffffffffu);
    if (HAS_COUNTS && id >= 0) {
      counts[row.index * params.v + u32(id)] += 1;
    }
  }
}
