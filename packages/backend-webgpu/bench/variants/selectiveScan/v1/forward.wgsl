// Selective scan (Mamba, section 3.3) over one chunk of the sequence: discretisation, recurrence, C, skip and gate in one pass.
// A thread owns Q states of one channel; L threads make a channel, CH channels a workgroup. The states stay in registers.
// REDUCE: only the state that the chunk, started from zero, ends in, and the sum of its deltas (the carry scan needs no more).
const Q = 4u; // states a thread
const L = 4u; // threads a channel, L Q >= n
const CH = 32u; // channels a workgroup
const TS = 16u; // steps a tile
const N = 16u; // L Q: states a channel, padded
const YS = 2080u; // L (TS CH + 32 / L), 1 when REDUCE
const REDUCE = false;
override HAS_Z = false;
override HAS_INITIAL = false;
override HAS_SEQ = false;
override SOFTPLUS = false;
override KEEP_LAST = false;

struct Params {
  l: u32, d: u32, n: u32, g: u32,
  chunk: u32, chunks: u32, // steps a chunk, chunks a row
  offD: u32, offBias: u32, offRestart: u32, offBC: u32, // into packed
  offSum: u32, // into final, when REDUCE: sums of delta [b, chunks, d]
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, l, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; // [b, l, d]
@group(0) @binding(4) var<storage, read> packed: array<f32>; // see pack.wgsl
@group(0) @binding(5) var<storage, read> initial: array<f32>; // [b, chunks, d, n]
@group(0) @binding(6) var<storage, read_write> last: array<f32>; // [b, chunks, d, n]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [b, l, d]

const WG = CH * L;
const PER = (TS * CH + WG - 1u) / WG; // tile elements a thread stages
const STRIDE = TS * CH + 32u / L; // padded, so that neighbours store to different banks
var<workgroup> step: array<vec2f, TS * CH>; // delta, delta u
var<workgroup> bc: array<f32, TS * 2u * N>; // B, then C of each step
var<workgroup> restart: array<f32, TS>;
var<workgroup> partial: array<f32, YS>;

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
  for (var q = 0u; q < Q; q++) {
    let n = lane * Q + q;
    let alive = channel < params.d && n < params.n;
    a[q] = select(0.0f, packed[channel * params.n + n], alive);
    h[q] = 0.0f;
    if (HAS_INITIAL && alive) {
      h[q] = initial[(block * params.d + channel) * params.n + n];
    }
  }
  var total = 0.0f;
  var restarted = false;

  for (var t0 = begin; t0 < end; t0 += TS) {
    var us: array<f32, PER>;
    var zs: array<f32, PER>;
    for (var k = 0u; k < PER; k++) {
      let i = lid + k * WG;
      let t = t0 + i / CH;
      let c = first + i % CH;
      var pair = vec2f(0.0f);
      if (t < end && c < params.d) {
        let at = (row * params.l + t) * params.d + c;
        us[k] = u[at];
        if (HAS_Z && !REDUCE) {
          zs[k] = z[at];
        }
        pair.x = delta[at] + packed[params.offBias + c];
        if (SOFTPLUS) {
          pair.x = softplus(pair.x);
        }
        pair.y = pair.x * us[k];
      }
      if (i < TS * CH) {
        step[i] = pair;
      }
    }
    for (var i = lid; i < TS * 2u * N; i += WG) {
      let t = t0 + i / (2u * N);
      let n = i % N;
      let half = (i / N) % 2u;
      let alive = t < end && n < params.n;
      bc[i] = select(0.0f, packed[params.offBC + ((row * params.l + min(t, params.l - 1u)) * 2u + half) * gn + bcGroup + min(n, params.n - 1u)], alive);
    }
    if (HAS_SEQ && lid < TS) {
      restart[lid] = select(0.0f, packed[params.offRestart + row * params.l + min(t0 + lid, params.l - 1u)], t0 + lid < end);
    }
    workgroupBarrier();
    for (var t = 0u; t < TS; t++) {
      let pair = step[t * CH + local];
      let fresh = HAS_SEQ && restart[t] != 0.0f;
      var sum = 0.0f;
      for (var q = 0u; q < Q; q++) {
        let decay = select(exp2(pair.x * a[q]), 0.0f, fresh);
        h[q] = decay * h[q] + pair.y * bc[t * 2u * N + lane * Q + q];
        if (!REDUCE) {
          sum += h[q] * bc[(t * 2u + 1u) * N + lane * Q + q];
        }
      }
      if (REDUCE) {
        total += pair.x;
        restarted = restarted || fresh;
      } else {
        partial[lane * STRIDE + t * CH + local] = sum;
      }
    }
    workgroupBarrier();
    if (!REDUCE) {
      for (var k = 0u; k < PER; k++) {
        let i = lid + k * WG;
        let t = t0 + i / CH;
        let c = first + i % CH;
        if (i < TS * CH && t < end && c < params.d) {
          var sum = us[k] * packed[params.offD + c];
          for (var j = 0u; j < L; j++) {
            sum += partial[j * STRIDE + i];
          }
          y[(row * params.l + t) * params.d + c] = select(sum, sum * silu(zs[k]), HAS_Z);
        }
      }
    }
  }

  if ((REDUCE || KEEP_LAST) && channel < params.d) {
    for (var q = 0u; q < Q; q++) {
      let n = lane * Q + q;
      if (n < params.n) {
        last[(block * params.d + channel) * params.n + n] = h[q];
      }
    }
    if (REDUCE && lane == 0u) {
      // A restart inside the chunk cuts the carry; a sum that no real delta reaches says so.
      last[params.offSum + block * params.d + channel] = select(total, 3.0e38f, restarted);
    }
  }
}
