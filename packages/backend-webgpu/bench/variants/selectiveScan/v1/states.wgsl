// First pass of the backward scan: runs each chunk forward from zero and keeps the state that every tile starts from
// (the only states that reach memory: one in TS). ADJOINT: also what the chunk hands to the state before it,
// sum_t (prod_{s <= t} decay_s) C_t dy_t, so that the chunks of a row can run at the same time.
const Q = 4u; // states a thread
const L = 4u; // threads a channel, L Q >= n
const CH = 32u; // channels a workgroup
const TS = 16u; // steps a tile
const N = 16u; // L Q
const ADJOINT = true;
override HAS_Z = false;
override HAS_SEQ = false;
override SOFTPLUS = false;

struct Params {
  l: u32, d: u32, n: u32, g: u32,
  chunk: u32, chunks: u32,
  offD: u32, offBias: u32, offRestart: u32, offBC: u32, // into packed
  tiles: u32, // tiles a row
  offCum: u32, offEnd: u32, offSum: u32, offAdjoint: u32, // into work; the tiles' states are at 0
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; // [b, l, d]
@group(0) @binding(4) var<storage, read> dy: array<f32>; // [b, l, d]
@group(0) @binding(5) var<storage, read> packed: array<f32>; // see pack.wgsl
// [b, tiles, d, n] states, [b, tiles, d] sums of delta since the chunk began,
// [b, chunks, d, n] end states, [b, chunks, d] sums of delta, [b, chunks, d, n] adjoints
@group(0) @binding(6) var<storage, read_write> work: array<f32>;

const WG = CH * L;
const PER = (TS * CH + WG - 1u) / WG;
var<workgroup> step: array<vec2f, TS * CH>; // delta, delta u
var<workgroup> gated: array<f32, TS * CH>; // dy silu(z)
var<workgroup> bc: array<f32, TS * 2u * N>;
var<workgroup> restart: array<f32, TS>;

//: include ../shared/math.wgsl

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

  var a: array<f32, Q>;
  var h: array<f32, Q>;
  var product: array<f32, Q>; // of the decays since the chunk began
  var adjoint: array<f32, Q>;
  for (var q = 0u; q < Q; q++) {
    let n = lane * Q + q;
    a[q] = select(0.0f, packed[min(channel, params.d - 1u) * params.n + min(n, params.n - 1u)], channel < params.d && n < params.n);
    product[q] = 1.0f;
  }
  var total = 0.0f;

  for (var t0 = begin; t0 < end; t0 += TS) {
    let tile = row * params.tiles + t0 / TS;
    if (channel < params.d) {
      for (var q = 0u; q < Q; q++) {
        let n = lane * Q + q;
        if (n < params.n) {
          work[(tile * params.d + channel) * params.n + n] = h[q];
        }
      }
      if (lane == 0u) {
        work[params.offCum + tile * params.d + channel] = total;
      }
    }
    for (var k = 0u; k < PER; k++) {
      let i = lid + k * WG;
      let t = t0 + i / CH;
      let c = first + i % CH;
      var pair = vec2f(0.0f);
      var upstream = 0.0f;
      if (t < end && c < params.d) {
        let at = (row * params.l + t) * params.d + c;
        pair.x = delta[at] + packed[params.offBias + c];
        if (SOFTPLUS) {
          pair.x = softplus(pair.x);
        }
        pair.y = pair.x * u[at];
        if (ADJOINT) {
          upstream = dy[at];
          if (HAS_Z) {
            upstream *= silu(z[at]);
          }
        }
      }
      if (i < TS * CH) {
        step[i] = pair;
        if (ADJOINT) {
          gated[i] = upstream;
        }
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
    workgroupBarrier();
    for (var t = 0u; t < TS; t++) {
      let pair = step[t * CH + local];
      let fresh = HAS_SEQ && restart[t] != 0.0f;
      // A restart cuts the carry; a sum that no real delta reaches says so.
      total = select(min(total + pair.x, 3.0e38f), 3.0e38f, fresh);
      for (var q = 0u; q < Q; q++) {
        let decay = select(exp2(pair.x * a[q]), 0.0f, fresh);
        h[q] = decay * h[q] + pair.y * bc[t * 2u * N + lane * Q + q];
        if (ADJOINT) {
          product[q] *= decay;
          adjoint[q] += product[q] * bc[(t * 2u + 1u) * N + lane * Q + q] * gated[t * CH + local];
        }
      }
    }
    workgroupBarrier();
  }

  if (channel < params.d) {
    for (var q = 0u; q < Q; q++) {
      let n = lane * Q + q;
      if (n < params.n) {
        let at = (block * params.d + channel) * params.n + n;
        work[params.offEnd + at] = h[q];
        work[params.offAdjoint + at] = adjoint[q];
      }
    }
    if (lane == 0u) {
      work[params.offSum + block * params.d + channel] = total;
    }
  }
}
