// The adjoint runs the other way with the conjugate decay, g_t = dStates_t + conj(ABar_{t+1}) g_{t+1};
// dBu_t = g_t, dABar_t = g_t conj(state_{t-1}), and the initial state gets conj(ABar_first) g_first.
// A thread a state of a chunk of a row; REDUCE: only what the chunk, started from zero, hands on, and the product of its decays.
const REDUCE = false;
struct Params { b: u32, l: u32, n: u32, chunk: u32, chunks: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ABar: array<vec2f>; // [n] or [b, l, n]
@group(0) @binding(2) var<storage, read> initialState: array<vec2f>; //: if HAS_INITIAL // [b, n]
@group(0) @binding(3) var<storage, read> states: array<vec2f>; // [b, l, n]
@group(0) @binding(4) var<storage, read> dStates: array<vec2f>; //: if HAS_DSTATES // [b, l, n]
@group(0) @binding(5) var<storage, read> starts: array<vec2f>; //: if HAS_STARTS // [b, chunks, n], adjoint from after each chunk
@group(0) @binding(6) var<storage, read_write> dABar: array<vec2f>; // [b, l, n], or [b, chunks, n] of sums; REDUCE: [b, chunks, n, 2]
@group(0) @binding(7) var<storage, read_write> dBu: array<vec2f>; // [b, l, n]
@group(0) @binding(8) var<storage, read_write> dInitial: array<vec2f>; //: optional // [b, n]
override VARYING = false;
override REVERSE = false;
override HAS_INITIAL = false;
override HAS_DSTATES = false;
override HAS_STARTS = false;

//: include parts/complex.wgsl

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 32u + lane;
  if (i >= params.b * params.chunks * params.n) {
    return;
  }
  let k = i % params.n;
  let chunk = i / params.n % params.chunks; // in the order in which they run, from the last
  let row = i / (params.n * params.chunks);
  var g = vec2f(0.0f);
  var product = vec2f(1.0f, 0.0f);
  var sum = vec2f(0.0f);
  if (HAS_STARTS) {
    g = starts[i];
  }
  for (var back = chunk * params.chunk; back < min((chunk + 1u) * params.chunk, params.l); back++) {
    let step = params.l - 1u - back;
    let at = (row * params.l + select(step, back, REVERSE)) * params.n + k;
    let a = ABar[select(k, at, VARYING)];
    if (HAS_DSTATES) {
      g += dStates[at];
    }
    if (REDUCE) {
      product = conjTimes(a, product);
    } else {
      dBu[at] = g;
      var before = vec2f(0.0f);
      if (step > 0u) {
        before = states[select(at - params.n, at + params.n, REVERSE)];
      } else if (HAS_INITIAL) {
        before = initialState[row * params.n + k];
      }
      let slope = conjTimes(before, g);
      if (VARYING) {
        dABar[at] = slope;
      } else {
        sum += slope;
      }
    }
    g = conjTimes(a, g);
  }
  if (REDUCE) {
    dABar[2u * i] = g;
    dABar[2u * i + 1u] = product;
    return;
  }
  if (!VARYING) {
    dABar[i] = sum;
  }
  if (HAS_INITIAL && chunk + 1u == params.chunks) {
    dInitial[row * params.n + k] = g;
  }
}
