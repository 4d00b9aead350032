// Last pass of the backward scan: walks the tiles of a chunk from the right; of a tile, SUB steps at a time, it recomputes
// the states into registers, then runs the adjoint state g_t = C_t dy_t + decay_{t+1} g_{t+1} over them.
// Sums over states go over the L threads of a channel; sums of dB and dC over channels through `addBC`
// (parts/channelSums*.wgsl) into one partial a workgroup, which sumBC.wgsl adds up: no float atomics.
const V = 1u; // vec4s of states a thread
const L = 4u; // threads a channel, 4 V L >= n
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
@group(0) @binding(3) var<storage, read> z: array<f32>; // [b, l, d]
//: include parts/operandsPacked.wgsl
@group(0) @binding(5) var<storage, read> dy: array<f32>; // [b, l, d]
@group(0) @binding(6) var<storage, read> work: array<f32>; // see states.wgsl
@group(0) @binding(7) var<storage, read_write> grads: array<f32>; // du, dDelta, dz, each [b, l, d]
// [d / CH, b l, 2 N] of dB and dC; [b chunks, d n + d + d] of dA, dD and dDeltaBias
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

const WG = CH * L;
const ROWS = (TS + L - 1u) / L;
const N = 4u * V * L;
const T1 = TS + 1u;
const SUBS = TS / SUB;
var<workgroup> step: array<array<vec2f, T1>, CH>; // delta, delta u
var<workgroup> gated: array<array<f32, T1>, CH>; // dy silu(z)
var<workgroup> columns: array<vec2f, WG>; // dD and dDeltaBias by staging thread

//: include ../shared/math.wgsl
//: include parts/stage.wgsl
//: include parts/channelSumsWorkgroup.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let local = lid / L;
  let first = group.x * CH;
  let channel = first + local;
  let alive = channel < params.d;
  let clamped = min(channel, params.d - 1u);
  let row = group.z;
  let block = row * params.chunks + group.y;
  let begin = group.y * params.chunk;
  let end = min(begin + params.chunk, params.l);
  let bcGroup = first * params.g / params.d;
  let stateAt = (block * params.d + channel) * params.n;

  var a: array<vec4f, V>;
  var start: array<vec4f, V>; // the chunk's first state
  var g: array<vec4f, V>;
  var dA: array<vec4f, V>;
  //: unroll
  for (var v = 0u; v < V; v++) {
    a[v] = select(vec4f(0.0f), aQuad((clamped * L + lane) * V + v), alive);
    //: unroll
    for (var q = 0u; q < 4u; q++) {
      let n = (lane * V + v) * 4u + q;
      if (alive && n < params.n) {
        start[v][q] = work[params.offEnd + stateAt + n];
        g[v][q] = work[params.offAdjoint + stateAt + n];
      }
    }
  }
  // For staging and output a thread has one column, and every L-th step of it.
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
  var firsts: array<f32, SUBS * 4u * V>; // the tile's kept states, as the chunk made them of zero
  var cums: array<f32, SUBS>;
  // Round 0 only loads: each tile's operands travel while the one to its right is computed.
  for (var round = 0u; round <= tileCount; round++) {
    let t0 = begin + (tileCount - round) * TS;
    let before = select(t0 - TS, t0, round == tileCount);
    let tile = row * params.tiles + before / SUB;
    var nextU: array<f32, ROWS>;
    var nextRaw: array<f32, ROWS>;
    var nextZ: array<f32, ROWS>;
    var nextDy: array<f32, ROWS>;
    var nextFirsts: array<f32, SUBS * 4u * V>;
    var nextCums: array<f32, SUBS>;
    //: unroll
    for (var k = 0u; k < ROWS; k++) {
      let at = base + min(before + lid / CH + k * L, params.l - 1u) * params.d;
      nextU[k] = u[at];
      nextDy[k] = dy[at];
      nextRaw[k] = delta[at] + bias;
      nextZ[k] = z[at * u32(HAS_Z)];
    }
    //: unroll
    for (var i = 0u; i < SUBS * 4u * V; i++) {
      nextFirsts[i] = work[((tile * 4u * V + i) * params.d + clamped) * L + lane];
    }
    //: unroll
    for (var i = 0u; i < SUBS; i++) {
      nextCums[i] = work[params.offCum + (tile + i) * params.d + clamped];
    }
    if (round > 0u) {
      //: unroll
      for (var k = 0u; k < ROWS; k++) {
        let s = lid / CH + k * L;
        let inside = t0 + s < end && columnAlive;
        dys[k] = select(0.0f, dys[k], inside);
        var d = raws[k];
        if (SOFTPLUS) {
          d = softplus(d);
        }
        d = select(0.0f, d, inside);
        var upstream = dys[k];
        if (HAS_Z) {
          upstream *= silu(zs[k]);
        }
        if (s < TS) {
          step[column][s] = vec2f(d, d * us[k]);
          gated[column][s] = upstream;
        }
      }
      stageBC(lid, t0, end, row, bcGroup);
      workgroupBarrier();
      let steps = &step[local];
      let upstreams = &gated[local];
      let mine = &bc[lane];
      //: unroll
      for (var part = SUBS - 1u; part < SUBS; part--) {
        // The first state: what the chunk made of zero, plus what is left of the chunk's own first state.
        var h: array<vec4f, V * (SUB + 1u)>;
        //: unroll
        for (var v = 0u; v < V; v++) {
          let kept = vec4f(firsts[(part * V + v) * 4u], firsts[(part * V + v) * 4u + 1u], firsts[(part * V + v) * 4u + 2u], firsts[(part * V + v) * 4u + 3u]);
          h[v] = kept + select(exp2(a[v] * cums[part]) * start[v], vec4f(0.0f), cums[part] > 1.0e38f);
        }
        var decays: array<vec4f, V * SUB>;
        //: unroll
        for (var i = 0u; i < SUB; i++) {
          let pair = (*steps)[part * SUB + i];
          let fresh = HAS_SEQ && restart[part * SUB + i] != 0.0f;
          var sum = vec4f(0.0f);
          //: unroll
          for (var v = 0u; v < V; v++) {
            decays[i * V + v] = select(exp2(pair.x * a[v]), vec4f(0.0f), fresh);
            h[(i + 1u) * V + v] = fma(decays[i * V + v], h[i * V + v], pair.y * (*mine)[(part * SUB + i) * 2u * V + v]);
            sum = fma(h[(i + 1u) * V + v], (*mine)[((part * SUB + i) * 2u + 1u) * V + v], sum);
          }
          if (HAS_Z) {
            addStates(2u, part * SUB + i, lid, (sum.x + sum.y) + (sum.z + sum.w));
          }
        }
        //: unroll
        for (var i = SUB - 1u; i < SUB; i--) {
          let pair = (*steps)[part * SUB + i];
          let upstream = (*upstreams)[part * SUB + i];
          var sumB = vec4f(0.0f); // g B
          var sumA = vec4f(0.0f); // g d(decay)/d(delta) h
          //: unroll
          for (var v = 0u; v < V; v++) {
            g[v] = fma((*mine)[((part * SUB + i) * 2u + 1u) * V + v], vec4f(upstream), g[v]);
            addBC(part * SUB + i, lid, v, g[v] * pair.y, h[(i + 1u) * V + v] * upstream);
            sumB = fma(g[v], (*mine)[(part * SUB + i) * 2u * V + v], sumB);
            g[v] *= decays[i * V + v];
            let ofDecay = g[v] * h[i * V + v];
            sumA = fma(ofDecay, a[v], sumA);
            dA[v] = fma(ofDecay, vec4f(pair.x), dA[v]);
          }
          addStates(0u, part * SUB + i, lid, (sumB.x + sumB.y) + (sumB.z + sumB.w));
          addStates(1u, part * SUB + i, lid, (sumA.x + sumA.y) + (sumA.z + sumA.w));
          endStep(part * SUB + i, lid);
        }
      }
      workgroupBarrier();
      //: unroll
      for (var k = 0u; k < ROWS; k++) {
        let s = lid / CH + k * L;
        if (s < TS && t0 + s < end && columnAlive) {
          let at = base + (t0 + s) * params.d;
          let upstream = gated[column][s];
          let sumB = statesSum(0u, column, s);
          var dDelta = statesSum(1u, column, s) * 0.6931471805599453f + us[k] * sumB; // a holds A log2(e)
          if (SOFTPLUS) {
            dDelta *= sigmoid(raws[k]);
          }
          grads[at] = step[column][s].x * sumB + skip * upstream;
          grads[params.offDelta + at] = dDelta;
          if (HAS_Z) {
            grads[params.offZ + at] = dys[k] * siluSlope(zs[k]) * (statesSum(2u, column, s) + skip * us[k]);
          }
          dD += upstream * us[k];
          dBias += dDelta;
        }
      }
      for (var i = lid; i < TS * 2u * N; i += WG) {
        if (t0 + i / (2u * N) < end) {
          sums[((group.x * params.bl + row * params.l + t0) * 2u * N) + i] = bcSum(i);
        }
      }
      workgroupBarrier();
    }
    us = nextU;
    raws = nextRaw;
    zs = nextZ;
    dys = nextDy;
    firsts = nextFirsts;
    cums = nextCums;
  }

  if (alive) {
    //: unroll
    for (var v = 0u; v < V; v++) {
      //: unroll
      for (var q = 0u; q < 4u; q++) {
        let n = (lane * V + v) * 4u + q;
        if (n < params.n) {
          sums[params.offA + block * params.d * (params.n + 2u) + channel * params.n + n] = dA[v][q];
        }
      }
    }
  }
  columns[lid] = vec2f(dD, dBias);
  workgroupBarrier();
  if (lid < CH && columnAlive) {
    var both = vec2f(0.0f);
    for (var j = 0u; j < L; j++) {
      both += columns[lid + j * CH];
    }
    let at = params.offA + block * params.d * (params.n + 2u) + params.d * params.n + first + lid;
    sums[at] = both.x;
    sums[at + params.d] = both.y;
  }
}
