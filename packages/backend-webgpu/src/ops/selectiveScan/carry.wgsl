// Carries states over the chunks of a row: in: the state each chunk ends in when started from zero;
// out: the state each chunk starts from. The grid's second layer (z = 1) carries the adjoint states, from the last chunk
// to the first.
struct Params {
  d: u32, n: u32, N: u32, chunks: u32, total: u32, // total = b d n
  offStates: u32, offSum: u32, offAdjoint: u32, scale: f32, // into states: [b, chunks, d, n], [b, chunks, d], [b, chunks, d, n]
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> A: array<f32>; // [d, N], times scale: log2(e) A
@group(0) @binding(2) var<storage, read> initial: array<f32>; //: if HAS_INITIAL // [b, d, n]
@group(0) @binding(3) var<storage, read_write> states: array<f32>;
@group(0) @binding(5) var<storage, read> dLast: array<f32>; //: if HAS_DLAST // [b, d, n]
@group(0) @binding(6) var<storage, read_write> dInitial: array<f32>; //: if KEEP_DINITIAL // [b, d, n]
override HAS_INITIAL = false;
override HAS_DLAST = false;
override KEEP_DINITIAL = false;
const AHEAD = 8u; // chunks loaded at once, to overlap their latency

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.total) {
    return;
  }
  let dn = params.d * params.n;
  let row = i / dn;
  let within = i % dn;
  let channel = within / params.n;
  let a = A[channel * params.N + within % params.n] * params.scale;
  let reverse = group.z == 1u;
  let base = select(params.offStates, params.offAdjoint, reverse);
  var state = 0.0f;
  if (HAS_INITIAL && !reverse) {
    state = initial[i];
  }
  if (HAS_DLAST && reverse) {
    state = dLast[i];
  }
  for (var c0 = 0u; c0 < params.chunks; c0 += AHEAD) {
    var ends: array<f32, AHEAD>;
    var sums: array<f32, AHEAD>;
    //: unroll
    for (var k = 0u; k < AHEAD; k++) {
      let c = min(c0 + k, params.chunks - 1u);
      let block = row * params.chunks + select(c, params.chunks - 1u - c, reverse);
      ends[k] = states[base + block * dn + within];
      sums[k] = states[params.offSum + block * params.d + channel];
    }
    //: unroll
    for (var k = 0u; k < AHEAD; k++) {
      let c = c0 + k;
      if (c < params.chunks) {
        let block = row * params.chunks + select(c, params.chunks - 1u - c, reverse);
        states[base + block * dn + within] = state;
        state = ends[k] + select(exp2(a * sums[k]) * state, 0.0f, sums[k] > 1.0e38f);
      }
    }
  }
  if (KEEP_DINITIAL && reverse) {
    dInitial[i] = state;
  }
}
