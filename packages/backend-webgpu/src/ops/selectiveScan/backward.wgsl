// Last pass of the backward scan: walks the tiles of a chunk from the right; of a tile, SUB steps at a time, it recomputes
// the states into registers, then runs the adjoint state g_t = C_t dy_t + decay_{t+1} g_{t+1} over them.
// Sums over states go over the L threads of a channel; sums of dB and dC over channels through `addBC`
// (parts/channelSums) into one partial a workgroup, which sumBC.wgsl adds up: no float atomics.
//: variant OPERANDS = packed | apart
//: variant SUMS = workgroup | subgroup
const V = 1u; // vec4s of states a thread
const L = 4u; // threads a channel, 4 V L >= n
const P = 1u; // channels a thread, at most L: they share what it reads of B and C, and its part of the sums of dB and dC
const CH = 8u; // channels a workgroup
const TS = 8u; // steps a tile
const SUB = 4u; // steps from one kept state to the next
const Y = 1u; // 1 with a gate, whose gradient needs y; else 0
override HAS_Z = false;
override HAS_SEQ = false;
override SOFTPLUS = false;

struct Params {
  l: u32, d: u32, n: u32, g: u32,
  chunk: u32, chunks: u32,
  offD: u32, offBias: u32, offRestart: u32, offBC: u32, // into packed
  tiles: u32, // kept states a row
  offCum: u32, offEnd: u32, offAdjoint: u32, // into work
  offDelta: u32, offZ: u32, // into grads; du is at 0
  offA: u32, // into sums; the partials of dB and dC are at 0
  bl: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; //: if HAS_Z // [b, l, d]
//: include parts/operands/$OPERANDS.wgsl
@group(0) @binding(5) var<storage, read> dy: array<f32>; // [b, l, d]
@group(0) @binding(6) var<storage, read> work: array<f32>; // see states.wgsl
@group(0) @binding(7) var<storage, read_write> grads: array<f32>; // du, dDelta, dz, each [b, l, d]
// [d / CH, b l, 2 N] of dB and dC; [b chunks, d n + d + d] of dA, dD and dDeltaBias
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

const CT = CH / P; // channels side by side in threads
const WG = CT * L;
const RS = L / P; // steps that a pass of staging brings
const ROWS = (TS + RS - 1u) / RS;
const N = 4u * V * L;
const T1 = TS + 1u;
const SUBS = TS / SUB;
const PT = P * T1 + (P + 1u) % 2u; // odd, against bank conflicts
var<workgroup> step: array<array<vec2f, PT>, CT>; // delta, delta u, of each of a thread's channels
var<workgroup> gated: array<array<f32, PT>, CT>; // dy silu(z)
var<workgroup> columns: array<vec2f, WG>; // dD and dDeltaBias by staging thread

//: include ../shared/math.wgsl
//: include parts/stage.wgsl
//: include parts/channelSums/$SUMS.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let local = lid / L;
  let first = group.x * CH;
  let row = group.z;
  let block = row * params.chunks + group.y;
  let begin = group.y * params.chunk;
  let end = min(begin + params.chunk, params.l);
  let bcGroup = first * params.g / params.d;

  // Everything below that a channel owns is indexed [p][v].
  var a: array<vec4f, P * V>;
  var start: array<vec4f, P * V>; // the chunk's first state
  var g: array<vec4f, P * V>;
  var dA: array<vec4f, P * V>;
  //: unroll
  for (var i = 0u; i < P * V; i++) {
    let channel = first + local + i / V * CT;
    let alive = channel < params.d;
    a[i] = select(vec4f(0.0f), aQuad((min(channel, params.d - 1u) * L + lane) * V + i % V), alive);
    //: unroll
    for (var q = 0u; q < 4u; q++) {
      let n = (lane * V + i % V) * 4u + q;
      if (alive && n < params.n) {
        start[i][q] = work[params.offEnd + (block * params.d + channel) * params.n + n];
        g[i][q] = work[params.offAdjoint + (block * params.d + channel) * params.n + n];
      }
    }
  }
  // For staging and output a thread has one column, and every RS-th step of it.
  let column = lid % CH;
  let c = min(first + column, params.d - 1u);
  let columnAlive = first + column < params.d;
  let skip = skipAt(c);
  let bias = biasAt(c);
  let base = row * params.l * params.d + c;
  var dD = 0.0f;
  var dBias = 0.0f;

  let tileCount = (end - begin + TS - 1u) / TS;
  var us: array<f32, ROWS>;
  var raws: array<f32, ROWS>;
  var zs: array<f32, ROWS>;
  var dys: array<f32, ROWS>;
  var firsts: array<f32, SUBS * P * V * 4u>; // the tile's kept states, as the chunk made them of zero
  var cums: array<f32, SUBS * P>;
  // Round 0 only loads: each tile's operands travel while the one to its right is computed.
  for (var round = 0u; round <= tileCount; round++) {
    let t0 = begin + (tileCount - round) * TS;
    let before = select(t0 - TS, t0, round == tileCount);
    let tile = row * params.tiles + before / SUB;
    //: include parts/backward/load.wgsl
    if (round > 0u) {
      //: include parts/backward/gate.wgsl
      stageBC(lid, t0, end, row, bcGroup);
      workgroupBarrier();
      let steps = &step[local];
      let upstreams = &gated[local];
      let mine = &bc[lane];
      //: unroll
      for (var part = SUBS - 1u; part < SUBS; part--) {
        //: include parts/backward/recompute.wgsl
        //: include parts/backward/adjoint.wgsl
      }
      workgroupBarrier();
      //: include parts/backward/write.wgsl
      workgroupBarrier();
    }
    us = nextU;
    raws = nextRaw;
    zs = nextZ;
    dys = nextDy;
    firsts = nextFirsts;
    cums = nextCums;
  }

  //: include parts/backward/finish.wgsl
}
