// The decayed state of every token of a chunk, before its correction, out of the state before the chunk.
struct Params { columns: u32, l: u32, h: u32, n: u32, p: u32, begin: u32, count: u32, start: u32 } // start: where the chunk's state lies
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> missing: array<f32>; // [b, l, h, p]
@group(0) @binding(3) var<storage, read> starts: array<f32>; // [chunks, b, h, n, p]
@group(0) @binding(4) var<storage, read_write> decayed: array<f32>; // [count, b, h, n, p]

//: include parts/token.wgsl
//: include parts/columns.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let wanted = (group.x + group.y * groups.x) * COLUMNS + lid % COLUMNS;
  let inside = wanted < params.columns; // all threads go on, for the barriers
  let column = min(wanted, params.columns - 1u);
  let lane = lid / COLUMNS;
  let row = column / params.p;
  let size = params.columns * params.n;
  let first = row * params.n * params.p + column % params.p;
  var state: array<vec4f, ROWS>;
  for (var m = 0u; m < ROWS; m++) {
    state[m] = vec4f(0.0f);
    for (var j = 0u; j < 4u && rowOf(m, lane) + j < params.n; j++) {
      state[m][j] = starts[params.start + first + (rowOf(m, lane) + j) * params.p];
    }
  }
  for (var t = 0u; t < params.count; t++) {
    let at = (row / params.h * params.l + params.begin + t) * params.h + row % params.h;
    let key = keyOf(at);
    let decay = decayOf(at);
    let scalars = tokens[scalarsOf(at)];
    let error = scalars.x * missing[at * params.p + column % params.p];
    for (var m = 0u; m < ROWS; m++) {
      let i = vectorOf(m, lane);
      let s = select(state[m] * decayAt(decay, i), vec4f(0.0f), scalars.z > 0.0f);
      for (var j = 0u; inside && j < 4u && rowOf(m, lane) + j < params.n; j++) {
        decayed[t * size + first + (rowOf(m, lane) + j) * params.p] = s[j];
      }
      state[m] = s + error * tokens[key + i];
    }
  }
}
