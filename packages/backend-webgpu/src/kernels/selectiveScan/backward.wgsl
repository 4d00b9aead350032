// Last pass of the backward scan: walks the tiles of a chunk from the right; of a tile, SUB steps at a time, it recomputes
// the states into registers, then runs the adjoint state g_t = C_t dy_t + decay_{t+1} g_{t+1} over them.
// Sums over states go over the L threads of a channel; sums of dB and dC over channels through `addBC`
// (parts/channelSums*.wgsl) into one partial a workgroup, which sumBC.wgsl adds up: no float atomics.
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
@group(0) @binding(3) var<storage, read> z: array<f32>; // [b, l, d]
//: include parts/operandsPacked.wgsl
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
//: include parts/channelSumsWorkgroup.wgsl

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
    var nextU: array<f32, ROWS>;
    var nextRaw: array<f32, ROWS>;
    var nextZ: array<f32, ROWS>;
    var nextDy: array<f32, ROWS>;
    var nextFirsts: array<f32, SUBS * P * V * 4u>;
    var nextCums: array<f32, SUBS * P>;
    //: unroll
    for (var k = 0u; k < ROWS; k++) {
      let at = base + min(before + lid / CH + k * RS, params.l - 1u) * params.d;
      nextU[k] = u[at];
      nextDy[k] = dy[at];
      nextRaw[k] = delta[at] + bias;
      nextZ[k] = z[at * u32(HAS_Z)];
    }
    //: unroll
    for (var i = 0u; i < SUBS * P; i++) {
      let channel = min(first + local + i % P * CT, params.d - 1u);
      nextCums[i] = work[params.offCum + (tile + i / P) * params.d + channel];
      //: unroll
      for (var j = 0u; j < 4u * V; j++) {
        nextFirsts[i * 4u * V + j] = work[(((tile + i / P) * 4u + j % 4u) * params.d + channel) * (V * L) + lane * V + j / 4u];
      }
    }
    if (round > 0u) {
      //: unroll
      for (var k = 0u; k < ROWS; k++) {
        let s = lid / CH + k * RS;
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
          step[column % CT][column / CT * T1 + s] = vec2f(d, d * us[k]);
          gated[column % CT][column / CT * T1 + s] = upstream;
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
        var h: array<vec4f, P * V * (SUB + 1u)>;
        var decays: array<vec4f, P * V * SUB>;
        //: unroll
        for (var p = 0u; p < P; p++) {
          //: unroll
          for (var v = 0u; v < V; v++) {
            let kept = vec4f(firsts[((part * P + p) * V + v) * 4u], firsts[((part * P + p) * V + v) * 4u + 1u], firsts[((part * P + p) * V + v) * 4u + 2u], firsts[((part * P + p) * V + v) * 4u + 3u]);
            let carried = exp2(a[p * V + v] * cums[part * P + p]) * start[p * V + v];
            h[p * V + v] = kept + select(carried, vec4f(0.0f), cums[part * P + p] > 1.0e38f);
          }
        }
        //: unroll
        for (var i = 0u; i < SUB; i++) {
          let fresh = HAS_SEQ && restart[part * SUB + i] != 0.0f;
          var sum = array<vec4f, P>();
          //: unroll
          for (var v = 0u; v < V; v++) {
            let B = (*mine)[(part * SUB + i) * 2u * V + v];
            let C = (*mine)[((part * SUB + i) * 2u + 1u) * V + v];
            //: unroll
            for (var p = 0u; p < P; p++) {
              let pair = (*steps)[p * T1 + part * SUB + i];
              decays[(i * P + p) * V + v] = select(exp2(pair.x * a[p * V + v]), vec4f(0.0f), fresh);
              h[((i + 1u) * P + p) * V + v] = fma(decays[(i * P + p) * V + v], h[(i * P + p) * V + v], pair.y * B);
              sum[p] = fma(h[((i + 1u) * P + p) * V + v], C, sum[p]);
            }
          }
          if (HAS_Z) {
            //: unroll
            for (var p = 0u; p < P; p++) {
              addStates(2u, part * SUB + i, lane, local + p * CT, (sum[p].x + sum[p].y) + (sum[p].z + sum[p].w));
            }
          }
        }
        //: unroll
        for (var i = SUB - 1u; i < SUB; i--) {
          var sumB = array<vec4f, P>(); // g B
          var sumA = array<vec4f, P>(); // g d(decay)/d(delta) h
          //: unroll
          for (var v = 0u; v < V; v++) {
            let B = (*mine)[(part * SUB + i) * 2u * V + v];
            let C = (*mine)[((part * SUB + i) * 2u + 1u) * V + v];
            var dB = vec4f(0.0f);
            var dC = vec4f(0.0f);
            //: unroll
            for (var p = 0u; p < P; p++) {
              let pair = (*steps)[p * T1 + part * SUB + i];
              let upstream = (*upstreams)[p * T1 + part * SUB + i];
              var adjoint = fma(C, vec4f(upstream), g[p * V + v]);
              dB = fma(adjoint, vec4f(pair.y), dB);
              dC = fma(h[((i + 1u) * P + p) * V + v], vec4f(upstream), dC);
              sumB[p] = fma(adjoint, B, sumB[p]);
              adjoint *= decays[(i * P + p) * V + v];
              let ofDecay = adjoint * h[(i * P + p) * V + v];
              sumA[p] = fma(ofDecay, a[p * V + v], sumA[p]);
              dA[p * V + v] = fma(ofDecay, vec4f(pair.x), dA[p * V + v]);
              g[p * V + v] = adjoint;
            }
            addBC(part * SUB + i, lid, v, dB, dC);
          }
          //: unroll
          for (var p = 0u; p < P; p++) {
            addStates(0u, part * SUB + i, lane, local + p * CT, (sumB[p].x + sumB[p].y) + (sumB[p].z + sumB[p].w));
            addStates(1u, part * SUB + i, lane, local + p * CT, (sumA[p].x + sumA[p].y) + (sumA[p].z + sumA[p].w));
          }
          endStep(part * SUB + i, lid);
        }
      }
      workgroupBarrier();
      //: unroll
      for (var k = 0u; k < ROWS; k++) {
        let s = lid / CH + k * RS;
        if (s < TS && t0 + s < end && columnAlive) {
          let at = base + (t0 + s) * params.d;
          let upstream = gated[column % CT][column / CT * T1 + s];
          let sumB = statesSum(0u, column, s);
          var dDelta = statesSum(1u, column, s) * 0.6931471805599453f + us[k] * sumB; // a holds A log2(e)
          if (SOFTPLUS) {
            dDelta *= sigmoid(raws[k]);
          }
          grads[at] = step[column % CT][column / CT * T1 + s].x * sumB + skip * upstream;
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

  //: unroll
  for (var i = 0u; i < P * V; i++) {
    let channel = first + local + i / V * CT;
    //: unroll
    for (var q = 0u; q < 4u; q++) {
      let n = (lane * V + i % V) * 4u + q;
      if (channel < params.d && n < params.n) {
        sums[params.offA + block * params.d * (params.n + 2u) + channel * params.n + n] = dA[i][q];
      }
    }
  }
  columns[lid] = vec2f(dD, dBias);
  workgroupBarrier();
  if (lid < CH && columnAlive) {
    var both = vec2f(0.0f);
    for (var j = 0u; j < RS; j++) {
      both += columns[lid + j * CH];
    }
    let at = params.offA + block * params.d * (params.n + 2u) + params.d * params.n + first + lid;
    sums[at] = both.x;
    sums[at + params.d] = both.y;
  }
}
