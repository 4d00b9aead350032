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

// The best so far or a later score, where that is larger.
fn better(best: vec2u, score: f32, i: u32) -> vec2u {
  let isNumber = (bitcast<u32>(score) & 0x7fffffffu) <= 0x7f800000u;
  let key = select(0xffffffffu, keyOf(score), isNumber);
  return select(best, vec2u(key, i), key > best.x);
}

// Every WG-th score from the first on, the last of the row in place of those past it.
fn four(row: Row, first: u32) -> vec4f {
  let i = min(first + vec4u(0u, WG, 2u * WG, 3u * WG), vec4u(params.v - 1u));
  return vec4f(scoreAt(row, i.x), scoreAt(row, i.y), scoreAt(row, i.z), scoreAt(row, i.w));
}

fn bestOfFour(before: vec2u, scores: vec4f, first: u32) -> vec2u {
  var best = before;
  for (var a = 0u; a < 4u; a++) {
    best = better(best, scores[a], min(first + a * WG, params.v - 1u));
  }
  return best;
}

// Key and id of the largest score, the lowest id of equals; a key of ~0 where there is a NaN.
fn bestOf(row: Row, lid: u32) -> vec2u {
  var best = vec2u(0u, range.x);
  if (HAS_COUNTS) {
    for (var i = range.x; i < range.y; i++) {
      best = better(best, scoreAt(row, i), i);
    }
  } else {
    // Nothing was written before: neighbours read neighbours, eight of each thread's on their way at once.
    for (var first = lid; first < params.v; first += 8u * WG) {
      let near = four(row, first);
      let far = four(row, first + 4u * WG);
      best = bestOfFour(bestOfFour(best, near, first), far, first + 4u * WG);
    }
  }
  parts[lid] = best;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid < half) {
      let other = parts[lid + half];
      if (other.x > parts[lid].x || (other.x == parts[lid].x && other.y < parts[lid].y)) {
        parts[lid] = other;
      }
    }
  }
  return workgroupUniformLoad(&parts[0]);
}

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
