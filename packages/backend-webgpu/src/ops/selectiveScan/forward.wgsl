// Selective scan (Mamba, section 3.3) over one chunk of the sequence: discretisation, recurrence, C, skip and gate in one pass.
// A thread owns 4 V states of one channel; L threads make a channel, CH channels a workgroup. The states stay in registers.
// REDUCE: only the state that the chunk, started from zero, ends in, and the sum of its deltas; from those of the chunks
// before it, each chunk then finds the state it starts from (PREFIX).
//: variant OPERANDS = packed | apart
const V = 1u; // vec4s of states a thread
const L = 4u; // threads a channel, 4 V L >= n
const CH = 32u; // channels a workgroup
const TS = 8u; // steps a tile
const REDUCE = false;
override HAS_Z = false;
override HAS_INITIAL = false;
override PREFIX = false;
override HAS_SEQ = false;
override SOFTPLUS = false;
override KEEP_LAST = false;

struct Params {
  l: u32, d: u32, n: u32, g: u32,
  chunk: u32, chunks: u32, // steps a chunk, chunks a row
  offD: u32, offBias: u32, offRestart: u32, offBC: u32, // into packed
  offSum: u32, // into the chunks' states: sums of delta [b, chunks, d]
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; //: if HAS_Z // [b, l, d]
//: include parts/operands/$OPERANDS.wgsl
@group(0) @binding(5) var<storage, read> initial: array<f32>; //: if HAS_INITIAL // [b, d, n]
@group(0) @binding(6) var<storage, read_write> last: array<f32>; //: optional // [b, d, n], or the chunks' states [b, chunks, d, n] when REDUCE
@group(0) @binding(7) var<storage, read_write> y: array<f32>; //: optional // [b, l, d]
@group(0) @binding(8) var<storage, read> ends: array<f32>; //: if PREFIX // the chunks' states [b, chunks, d, n], and offSum

const WG = CH * L;
const ROWS = (TS + L - 1u) / L; // steps of its staging column that a thread brings
const PS = 37u; // L (TS + 1) + 1, 1 when REDUCE
var<workgroup> step: array<array<vec2f, TS + 1u>, CH>; // delta, delta u
var<workgroup> partial: array<f32, CH * PS>; // [channel][lane][t], padded

//: include ../shared/math.wgsl
//: include parts/stage.wgsl
//: include parts/prefix.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let local = lid / L;
  let first = group.x * CH;
  let channel = first + local;
  let alive = channel < params.d;
  let row = group.z;
  let block = row * params.chunks + group.y;
  let begin = group.y * params.chunk;
  let end = min(begin + params.chunk, params.l);
  let bcGroup = first * params.g / params.d;

  var a: array<vec4f, V>;
  var h: array<vec4f, V>;
  var none: array<vec4f, V>; // the state of a sequence that starts
  //: unroll
  for (var v = 0u; v < V; v++) {
    a[v] = select(vec4f(0.0f), aQuad((min(channel, params.d - 1u) * L + lane) * V + v), alive);
    //: unroll
    for (var q = 0u; q < 4u; q++) {
      let n = (lane * V + v) * 4u + q;
      if (HAS_INITIAL && alive && n < params.n) {
        h[v][q] = initial[(row * params.d + channel) * params.n + n];
      }
    }
    // What is no number in A is in the state, too, where exp2 makes a number of it.
    none[v] = select(vec4f(0.0f), a[v], isNan4(a[v]));
    h[v] = select(h[v], none[v], isNan4(a[v]));
  }
  if (PREFIX) {
    h = carried(h, a, row, group.y, channel, lane);
  }
  // For staging and output a thread has one column, and every L-th step of it.
  let column = lid % CH;
  let c = min(first + column, params.d - 1u);
  let columnAlive = first + column < params.d;
  let skip = skipAt(c);
  let bias = biasAt(c);
  var total = 0.0f;
  var restarted = false;

  var us: array<f32, ROWS>;
  var raws: array<f32, ROWS>;
  var zs: array<f32, ROWS>;
  let base = row * params.l * params.d + c;
  //: unroll
  for (var k = 0u; k < ROWS; k++) {
    let at = base + min(begin + lid / CH + k * L, params.l - 1u) * params.d;
    us[k] = u[at];
    raws[k] = delta[at];
    if (HAS_Z && !REDUCE) {
      zs[k] = z[at];
    }
  }
  for (var t0 = begin; t0 < end; t0 += TS) {
    //: unroll
    for (var k = 0u; k < ROWS; k++) {
      let s = lid / CH + k * L;
      var d = raws[k] + bias;
      if (SOFTPLUS) {
        d = softplus(d);
      }
      d = select(0.0f, d, t0 + s < end && columnAlive);
      if (s < TS) {
        step[column][s] = vec2f(d, d * us[k]);
      }
    }
    stageBC(lid, t0, end, row, bcGroup);
    workgroupBarrier();
    // The next tile's operands travel while this one is computed.
    var nextU: array<f32, ROWS>;
    var nextZ: array<f32, ROWS>;
    //: unroll
    for (var k = 0u; k < ROWS; k++) {
      let at = base + min(t0 + TS + lid / CH + k * L, params.l - 1u) * params.d;
      nextU[k] = u[at];
      raws[k] = delta[at];
      if (HAS_Z && !REDUCE) {
        nextZ[k] = z[at];
      }
    }
    let steps = &step[local];
    let mine = &bc[lane];
    //: include parts/forward/advance.wgsl
    workgroupBarrier();
    //: unroll
    for (var k = 0u; k < ROWS; k++) {
      let s = lid / CH + k * L;
      if (!REDUCE && s < TS && t0 + s < end && columnAlive) {
        var sum = us[k] * skip;
        //: unroll
        for (var j = 0u; j < L; j++) {
          sum += partial[column * PS + j * (TS + 1u) + s];
        }
        if (HAS_Z) {
          sum *= silu(zs[k]);
        }
        y[base + (t0 + s) * params.d] = sum;
      }
      us[k] = nextU[k];
      zs[k] = nextZ[k];
    }
  }

  //: include parts/forward/finish.wgsl
}
