// Last pass of the backward scan: walks the tiles of a chunk from the right, recomputes a tile's states into registers,
// then runs the adjoint state g_t = C_t dy_t + decay_{t+1} g_{t+1} over it.
// Sums over states go over the L threads of a channel; sums of dB and dC over channels through `addBC`
// (see channelSums*.wgsl) into one partial a workgroup, which sumBC.wgsl adds up: no float atomics.
const Q = 4u; // states a thread
const L = 4u; // threads a channel, L Q >= n
const CH = 16u; // channels a workgroup
const TS = 8u; // steps a tile
const N = 16u; // L Q
const Y = 1u; // sums over states a step: 3 with a gate (its gradient needs y), else 2, less 2
override HAS_Z = false;
override HAS_SEQ = false;
override SOFTPLUS = false;

struct Params {
  l: u32, d: u32, n: u32, g: u32,
  chunk: u32, chunks: u32,
  offD: u32, offBias: u32, offRestart: u32, offBC: u32, // into packed
  tiles: u32, // tiles a row
  offCum: u32, offEnd: u32, offAdjoint: u32, // into work
  offDelta: u32, offZ: u32, // into grads; du is at 0
  offA: u32, offDD: u32, offDBias: u32, // into sums; the partials of dB and dC are at 0
  bl: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; // [b, l, d]
@group(0) @binding(4) var<storage, read> dy: array<f32>; // [b, l, d]
@group(0) @binding(5) var<storage, read> packed: array<f32>; // see pack.wgsl
@group(0) @binding(6) var<storage, read> work: array<f32>; // see states.wgsl
@group(0) @binding(7) var<storage, read_write> grads: array<f32>; // du, dDelta, dz, each [b, l, d]
// [d / CH, b l, 2 n] of dB and dC; [b chunks, d, n] of dA; [b chunks, d] of dD and dDeltaBias
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

const WG = CH * L;
const PER = (TS * CH + WG - 1u) / WG;
const STRIDE = TS * CH + 32u / L;
var<workgroup> step: array<vec2f, max(TS * CH, WG)>; // delta, delta u; at the end WG partial sums
var<workgroup> gated: array<f32, TS * CH>; // dy silu(z)
var<workgroup> bc: array<f32, TS * 2u * N>;
var<workgroup> restart: array<f32, TS>;

//: include ../shared/math.wgsl
//: include parts/channelSumsWorkgroup.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let local = lid / L;
  let first = group.x * CH;
  let channel = first + local;
  let row = group.z;
  let block = row * params.chunks + group.y;
  let begin = group.y * params.chunk;
  let end = min(begin + params.chunk, params.l);
  let gn = params.g * params.n;
  let bcGroup = (first * params.g / params.d) * params.n;
  let clamped = min(channel, params.d - 1u);

  var a: array<f32, Q>;
  var start: array<f32, Q>; // the chunk's first state
  var g: array<f32, Q>;
  var dA: array<f32, Q>;
  for (var q = 0u; q < Q; q++) {
    let n = lane * Q + q;
    let at = clamped * params.n + min(n, params.n - 1u);
    if (channel < params.d && n < params.n) {
      a[q] = packed[at];
      start[q] = work[params.offEnd + block * params.d * params.n + at];
      g[q] = work[params.offAdjoint + block * params.d * params.n + at];
    }
  }
  var dD = 0.0f;
  var dBias = 0.0f;

  let tileCount = (end - begin + TS - 1u) / TS;
  for (var back = 0u; back < tileCount; back++) {
    let t0 = begin + (tileCount - 1u - back) * TS;
    var us: array<f32, PER>;
    var raws: array<f32, PER>;
    var zs: array<f32, PER>;
    var dys: array<f32, PER>;
    for (var k = 0u; k < PER; k++) {
      let i = lid + k * WG;
      let t = t0 + i / CH;
      let c = first + i % CH;
      var pair = vec2f(0.0f);
      if (t < end && c < params.d) {
        let at = (row * params.l + t) * params.d + c;
        us[k] = u[at];
        dys[k] = dy[at];
        raws[k] = delta[at] + packed[params.offBias + c];
        pair.x = raws[k];
        if (SOFTPLUS) {
          pair.x = softplus(raws[k]);
        }
        pair.y = pair.x * us[k];
        if (HAS_Z) {
          zs[k] = z[at];
        }
      }
      if (i < TS * CH) {
        step[i] = pair;
        gated[i] = select(dys[k], dys[k] * silu(zs[k]), HAS_Z);
      }
    }
    for (var i = lid; i < TS * 2u * N; i += WG) {
      let t = t0 + i / (2u * N);
      let n = i % N;
      let half = (i / N) % 2u;
      bc[i] = select(0.0f, packed[params.offBC + ((row * params.l + min(t, params.l - 1u)) * 2u + half) * gn + bcGroup + min(n, params.n - 1u)], t < end && n < params.n);
    }
    if (HAS_SEQ && lid < TS) {
      restart[lid] = select(0.0f, packed[params.offRestart + row * params.l + min(t0 + lid, params.l - 1u)], t0 + lid < end);
    }

    // The tile's first state: what the chunk made of zero, plus what is left of the chunk's own first state.
    let tile = row * params.tiles + t0 / TS;
    let cum = work[params.offCum + tile * params.d + clamped];
    var h: array<f32, Q * (TS + 1u)>;
    for (var q = 0u; q < Q; q++) {
      let at = (tile * params.d + clamped) * params.n + min(lane * Q + q, params.n - 1u);
      h[q] = work[at] + select(exp2(a[q] * cum) * start[q], 0.0f, cum > 1.0e38f);
    }
    workgroupBarrier();
    for (var t = 0u; t < TS; t++) {
      let pair = step[t * CH + local];
      let fresh = HAS_SEQ && restart[t] != 0.0f;
      var ySum = 0.0f;
      for (var q = 0u; q < Q; q++) {
        let decay = select(exp2(pair.x * a[q]), 0.0f, fresh);
        let next = decay * h[t * Q + q] + pair.y * bc[t * 2u * N + lane * Q + q];
        h[(t + 1u) * Q + q] = next;
        ySum += next * bc[(t * 2u + 1u) * N + lane * Q + q];
      }
      if (HAS_Z) {
        addStates(2u, t, lid, ySum);
      }
    }
    for (var back2 = 0u; back2 < TS; back2++) {
      let t = TS - 1u - back2;
      let pair = step[t * CH + local];
      let upstream = gated[t * CH + local];
      let fresh = HAS_SEQ && restart[t] != 0.0f;
      var sumB = 0.0f; // sum over n of g B
      var sumA = 0.0f; // sum over n of g d(decay)/d(delta) h
      var ofBC: array<f32, 2u * Q>;
      for (var q = 0u; q < Q; q++) {
        g[q] += bc[(t * 2u + 1u) * N + lane * Q + q] * upstream;
        ofBC[q] = g[q] * pair.y;
        ofBC[Q + q] = h[(t + 1u) * Q + q] * upstream;
        sumB += g[q] * bc[t * 2u * N + lane * Q + q];
        g[q] *= select(exp2(pair.x * a[q]), 0.0f, fresh);
        let ofDecay = g[q] * h[t * Q + q];
        sumA += ofDecay * a[q];
        dA[q] += ofDecay * pair.x;
      }
      addStates(0u, t, lid, sumB);
      addStates(1u, t, lid, sumA);
      addBC(t, lid, &ofBC);
    }
    workgroupBarrier();
    for (var k = 0u; k < PER; k++) {
      let i = lid + k * WG;
      let t = t0 + i / CH;
      let c = first + i % CH;
      if (i < TS * CH && t < end && c < params.d) {
        let at = (row * params.l + t) * params.d + c;
        let pair = step[i];
        let skip = packed[params.offD + c];
        let sumB = statesSum(0u, i);
        var dDelta = statesSum(1u, i) * 0.6931471805599453f + us[k] * sumB; // a holds A log2(e)
        if (SOFTPLUS) {
          dDelta *= sigmoid(raws[k]);
        }
        grads[at] = pair.x * sumB + skip * gated[i];
        grads[params.offDelta + at] = dDelta;
        if (HAS_Z) {
          grads[params.offZ + at] = dys[k] * siluSlope(zs[k]) * (statesSum(2u, i) + skip * us[k]);
        }
        dD += gated[i] * us[k];
        dBias += dDelta;
      }
    }
    for (var i = lid; i < TS * 2u * N; i += WG) {
      let t = t0 + i / (2u * N);
      let n = i % N;
      let half = (i / N) % 2u;
      if (t < end && n < params.n) {
        sums[(group.x * params.bl + row * params.l + t) * 2u * params.n + half * params.n + n] = bcSum(i);
      }
    }
    workgroupBarrier();
  }

  if (channel < params.d) {
    for (var q = 0u; q < Q; q++) {
      let n = lane * Q + q;
      if (n < params.n) {
        sums[params.offA + (block * params.d + channel) * params.n + n] = dA[q];
      }
    }
  }
  // A thread always staged the same channel, lid % CH; L threads share it.
  step[lid] = vec2f(dD, dBias);
  workgroupBarrier();
  if (lid < CH && first + lid < params.d) {
    var both = vec2f(0.0f);
    for (var j = 0u; j < L; j++) {
      both += step[lid + j * CH];
    }
    sums[params.offDD + block * params.d + first + lid] = both.x;
    sums[params.offDBias + block * params.d + first + lid] = both.y;
  }
}
