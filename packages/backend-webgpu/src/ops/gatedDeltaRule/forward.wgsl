// The recurrence, column by column of a head's state, which no other column concerns.
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
//: include parts/columns.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let wanted = (group.x + group.y * groups.x) * COLUMNS + lid % COLUMNS;
  let inside = wanted < params.columns; // all threads go on, for the barriers
  let column = min(wanted, params.columns - 1u);
  let lane = lid / COLUMNS;
  let row = column / params.p; // of [b, h]
  let size = params.columns * params.n;
  let first = row * params.n * params.p + column % params.p;
  var state: array<vec4f, ROWS>;
  for (var m = 0u; m < ROWS; m++) {
    state[m] = vec4f(0.0f);
    for (var j = 0u; HAS_INITIAL && j < 4u && rowOf(m, lane) + j < params.n; j++) {
      state[m][j] = initial[first + (rowOf(m, lane) + j) * params.p];
    }
  }
  for (var t = 0u; t < params.l; t++) {
    let at = (row / params.h * params.l + t) * params.h + row % params.h;
    if (KEEPS && inside && t % params.chunk == 0u) {
      for (var m = 0u; m < ROWS; m++) {
        for (var j = 0u; j < 4u && rowOf(m, lane) + j < params.n; j++) {
          starts[t / params.chunk * size + first + (rowOf(m, lane) + j) * params.p] = state[m][j];
        }
      }
    }
    let query = queryOf(at);
    let key = keyOf(at);
    let decay = decayOf(at);
    let scalars = tokens[scalarsOf(at)];
    var answers = vec2f(0.0f); // to key and query
    for (var m = 0u; m < ROWS; m++) {
      let i = vectorOf(m, lane);
      let s = select(state[m] * decayAt(decay, i), vec4f(0.0f), scalars.z > 0.0f);
      state[m] = s;
      answers += vec2f(dot(s, tokens[key + i]), dot(s, tokens[query + i]));
    }
    answers = overLanes(answers, lid, t);
    let place = at * params.p + column % params.p;
    let lack = v[place] - answers.x;
    let error = scalars.x * lack;
    for (var m = 0u; m < ROWS; m++) {
      state[m] += error * tokens[key + vectorOf(m, lane)];
    }
    if (WRITES_Y && inside && lane == 0u) {
      y[place] = fma(scalars.y, error, answers.y);
    }
    if (KEEPS && inside && lane == 0u) {
      missing[place] = lack;
    }
  }
  for (var m = 0u; WRITES_LAST && inside && m < ROWS; m++) {
    for (var j = 0u; j < 4u && rowOf(m, lane) + j < params.n; j++) {
      last[first + (rowOf(m, lane) + j) * params.p] = state[m][j];
    }
  }
}
