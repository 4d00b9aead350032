// The recurrence, a thread a column of a head's state, which no other column concerns.
struct Params { columns: u32, l: u32, h: u32, n: u32, p: u32, chunk: u32 } // columns = b h p
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<f32>; // [b, l, h, p]
@group(0) @binding(3) var<storage, read> initial: array<f32>; //: if HAS_INITIAL // [b, h, n, p]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; //: if WRITES_Y // [b, l, h, p]
@group(0) @binding(5) var<storage, read_write> last: array<f32>; //: if WRITES_LAST // [b, h, n, p]
@group(0) @binding(6) var<storage, read_write> starts: array<f32>; //: if KEEPS // [chunks, b, h, n, p]: the state before each
@group(0) @binding(7) var<storage, read_write> missing: array<f32>; //: optional // [b, l, h, p]: v - decayed state^T key, where starts are kept
override HAS_INITIAL = false;
override WRITES_Y = false;
override WRITES_LAST = false;
override KEEPS = false;

//: include parts/token.wgsl

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = (group.x + group.y * groups.x) * 32u + lane;
  if (column >= params.columns) {
    return;
  }
  let row = column / params.p; // of [b, h]
  let size = params.columns * params.n;
  let first = row * params.n * params.p + column % params.p;
  var state: array<vec4f, N4>;
  for (var i = 0u; i < 4u * N4; i++) {
    state[i / 4u][i % 4u] = 0.0f;
    if (HAS_INITIAL && i < params.n) {
      state[i / 4u][i % 4u] = initial[first + i * params.p];
    }
  }
  for (var t = 0u; t < params.l; t++) {
    let at = (row / params.h * params.l + t) * params.h + row % params.h;
    if (KEEPS && t % params.chunk == 0u) {
      for (var i = 0u; i < params.n; i++) {
        starts[t / params.chunk * size + first + i * params.p] = state[i / 4u][i % 4u];
      }
    }
    let query = queryOf(at);
    let key = keyOf(at);
    let decay = decayOf(at);
    let scalars = tokens[scalarsOf(at)];
    var answer = 0.0f;
    var seen = 0.0f;
    for (var i = 0u; i < N4; i++) {
      let s = select(state[i] * decayAt(decay, i), vec4f(0.0f), scalars.z > 0.0f);
      state[i] = s;
      answer += dot(s, tokens[key + i]);
      seen += dot(s, tokens[query + i]);
    }
    let place = at * params.p + column % params.p;
    let lack = v[place] - answer;
    let error = scalars.x * lack;
    for (var i = 0u; i < N4; i++) {
      state[i] += error * tokens[key + i];
    }
    if (WRITES_Y) {
      y[place] = fma(scalars.y, error, seen);
    }
    if (KEEPS) {
      missing[place] = lack;
    }
  }
  if (WRITES_LAST) {
    for (var i = 0u; i < params.n; i++) {
      last[first + i * params.p] = state[i / 4u][i % 4u];
    }
  }
}
