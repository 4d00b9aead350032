// The decayed state of every token of a chunk, before its correction, out of the state before the chunk: a thread a column.
struct Params { columns: u32, l: u32, h: u32, n: u32, p: u32, begin: u32, count: u32, start: u32 } // start: where the chunk's state lies
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> missing: array<f32>; // [b, l, h, p]
@group(0) @binding(3) var<storage, read> starts: array<f32>; // [chunks, b, h, n, p]
@group(0) @binding(4) var<storage, read_write> decayed: array<f32>; // [count, b, h, n, p]

//: include parts/token.wgsl

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = (group.x + group.y * groups.x) * 32u + lane;
  if (column >= params.columns) {
    return;
  }
  let row = column / params.p;
  let size = params.columns * params.n;
  let first = row * params.n * params.p + column % params.p;
  var state: array<vec4f, N4>;
  for (var i = 0u; i < 4u * N4; i++) {
    state[i / 4u][i % 4u] = 0.0f;
    if (i < params.n) {
      state[i / 4u][i % 4u] = starts[params.start + first + i * params.p];
    }
  }
  for (var t = 0u; t < params.count; t++) {
    let at = (row / params.h * params.l + params.begin + t) * params.h + row % params.h;
    let key = keyOf(at);
    let decay = decayOf(at);
    let scalars = tokens[scalarsOf(at)];
    let error = scalars.x * missing[at * params.p + column % params.p];
    for (var i = 0u; i < N4; i++) {
      let s = select(state[i] * decayAt(decay, i), vec4f(0.0f), scalars.z > 0.0f);
      for (var j = 0u; j < 4u && 4u * i + j < params.n; j++) {
        decayed[t * size + first + (4u * i + j) * params.p] = s[j];
      }
      state[i] = s + error * tokens[key + i];
    }
  }
}
