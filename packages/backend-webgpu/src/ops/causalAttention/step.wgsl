// Attention of one query and head over the cache, its own token's key included (see append.wgsl), a workgroup each: keys come by in
// blocks, one a thread, and the softmax keeps a running peak and sum. Values are added up by PARTS of the threads, each some of a block's tokens.
//: variant CACHE = vec4 | word | halves4 | halves2
struct Params { m: u32, h: u32, hkv: u32, p: u32, r: u32, scale: f32, softCap: f32, size: u32 } // size = b h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>; // [b, h, p]
@group(0) @binding(4) var<storage, read> position: array<i32>; // [b], already moved on
@group(0) @binding(5) var<storage, read> rotary: array<f32>; //: optional // [m, r]
@group(0) @binding(6) var<storage, read> visible: array<f32>; //: if HAS_VISIBLE // [b, m]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [b, h, p]
@group(0) @binding(8) var<storage, read> sink: array<f32>; //: if HAS_SINK // [h]
override CAPPED = false;
override HAS_SINK = false;
override HAS_VISIBLE = false;
override INTERLEAVED = false;
const WG = 256u;
const LANES = WG;
const P = 64u;
const WRITTEN_OUT = true; // the products of a query and a key; a loop where compiling costs more than running
const HIDDEN = -1.0e30f;
const AHEAD = 4u; // tokens whose values a thread has on their way
var<workgroup> weights: array<f32, WG>;
var<workgroup> query: array<f32, P>;

//: include parts/cache/$CACHE.wgsl
//: include ../shared/math.wgsl
//: include ../shared/special.wgsl
//: include parts/capped.wgsl
//: include ../shared/lanes/workgroup.wgsl
//: include parts/turned.wgsl

const UNITS = P / WIDTH; // of a key or value
const TURNS = (UNITS + WG - 1u) / WG; // units of a thread
const PARTS = max(WG / UNITS, 1u);
var<workgroup> summed: array<Unit, max(WG, UNITS)>;

fn element(i: u32) -> f32 {
  return q[i];
}

fn keyAt(row: u32, j: u32, head: u32) -> u32 {
  return ((row * params.m + j) * params.hkv + head * params.hkv / params.h) * UNITS;
}

fn score(row: u32, j: u32, head: u32) -> f32 {
  var sum = 0.0f;
  let key = keyAt(row, j, head);
  //: unroll if WRITTEN_OUT
  for (var c = 0u; c < UNITS; c++) {
    sum += timesQuery(opened(keys[key + c]), c);
  }
  return capped(sum * params.scale);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = min(group.x + group.y * groups.x, params.size - 1u);
  let head = id % params.h;
  let row = id / params.h;
  let t = position[row] - 1;
  if (t < 0 || u32(t) >= params.m) {
    for (var c = lid; c < P; c += WG) {
      y[id * P + c] = bitcast<f32>(0x7fc00000u | params.p); // not a number
    }
    return;
  }
  let own = u32(t);
  for (var c = lid; c < P; c += WG) {
    query[c] = turned(id * P, c, own);
  }
  workgroupBarrier();
  let unit = lid % UNITS;
  let part = lid / UNITS;
  var sums: array<Unit, TURNS>;
  var peak = HIDDEN;
  var total = 0.0f;
  if (HAS_SINK) {
    peak = sink[head];
    total = select(0.0f, 1.0f, lid == 0u);
  }
  for (var base = 0u; base <= own; base += WG) {
    let j = base + lid;
    var seen = j <= own;
    if (HAS_VISIBLE && j < own) {
      seen = visible[row * params.m + j] != 0.0f;
    }
    var value = HIDDEN;
    if (seen) {
      value = score(row, j, head);
    }
    let next = max(peak, maxLanes(value, lid));
    let kept = expAccurate(peak - next);
    let weight = select(0.0f, expAccurate(value - next), seen);
    peak = next;
    total = total * kept + weight;
    weights[lid] = weight;
    workgroupBarrier();
    let count = min(WG, own + 1u - base);
    //: unroll
    for (var turn = 0u; turn < TURNS; turn++) {
      let at = keyAt(row, base, head) + min(unit + turn * WG, UNITS - 1u);
      var sum = sums[turn] * kept;
      for (var first = part; first < count; first += PARTS * AHEAD) {
        //: unroll
        for (var a = 0u; a < AHEAD; a++) {
          let i = min(first + a * PARTS, count - 1u);
          let w = select(0.0f, weights[i], first + a * PARTS < count);
          // What is hidden may hold anything.
          sum += select(Unit(), w * opened(values[at + i * params.hkv * UNITS]), w != 0.0f);
        }
      }
      sums[turn] = sum;
    }
    workgroupBarrier();
  }
  total = sumLanes(total, lid);
  //: unroll
  for (var turn = 0u; turn < TURNS; turn++) {
    if (lid + turn * WG < max(PARTS * UNITS, UNITS)) {
      summed[lid + turn * WG] = sums[turn];
    }
  }
  workgroupBarrier();
  for (var c = lid; c < P; c += WG) {
    var sum = 0.0f;
    for (var i = 0u; i < PARTS; i++) {
      sum += entryOf(summed[i * UNITS + c / WIDTH], c % WIDTH);
    }
    y[id * P + c] = sum / total;
  }
}
