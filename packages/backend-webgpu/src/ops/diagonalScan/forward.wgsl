// states_t = ABar_t states_{t-1} + Bu_t over complex numbers, a thread a state of a chunk of a row.
// REDUCE: only what the chunk, started from zero, ends in, and the product of its decays.
const REDUCE = false;
struct Params { b: u32, l: u32, n: u32, chunk: u32, chunks: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ABar: array<vec2f>; // [n] or [b, l, n]
@group(0) @binding(2) var<storage, read> Bu: array<vec2f>; // [b, l, n]
@group(0) @binding(3) var<storage, read> starts: array<vec2f>; //: if HAS_STARTS // [b, chunks, n]
@group(0) @binding(4) var<storage, read_write> states: array<vec2f>; // [b, l, n]; REDUCE: [b, chunks, n, 2]
@group(0) @binding(5) var<storage, read_write> lastState: array<vec2f>; //: if KEEP_LAST // [b, n]
override VARYING = false;
override REVERSE = false;
override HAS_STARTS = false;
override KEEP_LAST = false;

//: include parts/complex.wgsl

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 32u + lane;
  if (i >= params.b * params.chunks * params.n) {
    return;
  }
  let k = i % params.n;
  let chunk = i / params.n % params.chunks; // in the order in which they run
  let row = i / (params.n * params.chunks);
  var state = vec2f(0.0f);
  var product = vec2f(1.0f, 0.0f);
  if (HAS_STARTS) {
    state = starts[i];
  }
  for (var step = chunk * params.chunk; step < min((chunk + 1u) * params.chunk, params.l); step++) {
    let token = row * params.l + select(step, params.l - 1u - step, REVERSE);
    let a = ABar[select(k, token * params.n + k, VARYING)];
    state = times(a, state) + Bu[token * params.n + k];
    if (REDUCE) {
      product = times(a, product);
    } else {
      states[token * params.n + k] = state;
    }
  }
  if (REDUCE) {
    states[2u * i] = state;
    states[2u * i + 1u] = product;
  } else if (KEEP_LAST && chunk + 1u == params.chunks) {
    lastState[row * params.n + k] = state;
  }
}
