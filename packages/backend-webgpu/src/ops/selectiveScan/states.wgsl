// First pass of the backward scan: runs each chunk forward from zero and keeps every SUB-th state (the only ones that
// reach memory). ADJOINT: also what the chunk hands to the state before it,
// sum_t (prod_{s <= t} decay_s) C_t dy_t, so that the chunks of a row can run at the same time.
//: variant OPERANDS = packed | apart
const V = 1u; // vec4s of states a thread
const L = 4u; // threads a channel, 4 V L >= n
const CH = 32u; // channels a workgroup
const TS = 8u; // steps a tile
const SUB = 4u; // steps from one kept state to the next
const ADJOINT = true;
override HAS_Z = false;
override HAS_SEQ = false;
override SOFTPLUS = false;

struct Params {
  l: u32, d: u32, n: u32, g: u32,
  chunk: u32, chunks: u32,
  offD: u32, offBias: u32, offRestart: u32, offBC: u32, // into packed
  tiles: u32, // kept states a row
  offCum: u32, offEnd: u32, offSum: u32, offAdjoint: u32, // into work; the kept states are at 0
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; //: if HAS_Z // [b, l, d]
//: include parts/operands/$OPERANDS.wgsl
@group(0) @binding(5) var<storage, read> dy: array<f32>; // [b, l, d]
// [b, tiles, 4, d, V L] states, [b, tiles, d] sums of delta since the chunk began,
// [b, chunks, d, n] end states, [b, chunks, d] sums of delta, [b, chunks, d, n] adjoints
@group(0) @binding(6) var<storage, read_write> work: array<f32>;

const WG = CH * L;
const ROWS = (TS + L - 1u) / L;
var<workgroup> step: array<array<vec2f, TS + 1u>, CH>; // delta, delta u
var<workgroup> gated: array<array<f32, TS + 1u>, CH>; // dy silu(z)

//: include ../shared/math.wgsl
//: include parts/stage.wgsl

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
  var product: array<vec4f, V>; // of the decays since the chunk began
  var adjoint: array<vec4f, V>;
  //: unroll
  for (var v = 0u; v < V; v++) {
    a[v] = select(vec4f(0.0f), aQuad((min(channel, params.d - 1u) * L + lane) * V + v), alive);
    product[v] = vec4f(1.0f);
  }
  var total = 0.0f;
  var restarted = false;
  let column = lid % CH;
  let c = min(first + column, params.d - 1u);
  let columnAlive = first + column < params.d;
  let bias = biasAt(c);
  let base = row * params.l * params.d + c;

  var us: array<f32, ROWS>;
  var raws: array<f32, ROWS>;
  var zs: array<f32, ROWS>;
  var dys: array<f32, ROWS>;
  //: unroll
  for (var k = 0u; k < ROWS; k++) {
    let at = base + min(begin + lid / CH + k * L, params.l - 1u) * params.d;
    us[k] = u[at];
    raws[k] = delta[at];
    if (ADJOINT) {
      dys[k] = dy[at];
      zs[k] = z[at * u32(HAS_Z)];
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
      let inside = t0 + s < end && columnAlive;
      d = select(0.0f, d, inside);
      if (s < TS) {
        step[column][s] = vec2f(d, d * us[k]);
        if (ADJOINT) {
          var upstream = select(0.0f, dys[k], inside);
          if (HAS_Z) {
            upstream *= silu(zs[k]);
          }
          gated[column][s] = upstream;
        }
      }
    }
    stageBC(lid, t0, end, row, bcGroup);
    workgroupBarrier();
    // The next tile's operands travel while this one is computed.
    //: unroll
    for (var k = 0u; k < ROWS; k++) {
      let at = base + min(t0 + TS + lid / CH + k * L, params.l - 1u) * params.d;
      us[k] = u[at];
      raws[k] = delta[at];
      if (ADJOINT) {
        dys[k] = dy[at];
        zs[k] = z[at * u32(HAS_Z)];
      }
    }
    let steps = &step[local];
    let upstreams = &gated[local];
    let mine = &bc[lane];
    //: include parts/states/advance.wgsl
    workgroupBarrier();
  }

  if (alive) {
    let stateAt = (block * params.d + channel) * params.n;
    //: unroll
    for (var v = 0u; v < V; v++) {
      //: unroll
      for (var q = 0u; q < 4u; q++) {
        let n = (lane * V + v) * 4u + q;
        if (n < params.n) {
          work[params.offEnd + stateAt + n] = h[v][q];
          work[params.offAdjoint + stateAt + n] = adjoint[v][q];
        }
      }
    }
    if (lane == 0u) {
      work[params.offSum + block * params.d + channel] = total;
    }
  }
}
