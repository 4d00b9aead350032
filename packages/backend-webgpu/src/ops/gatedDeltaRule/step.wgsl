// One token, the state changed in place: a thread a column.
struct Params { columns: u32, n: u32, p: u32 } // columns = b h p
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<f32>; // [b, h, p]
@group(0) @binding(3) var<storage, read_write> state: array<f32>; // [b, h, n, p]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [b, h, p]

//: include parts/token.wgsl

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = (group.x + group.y * groups.x) * 32u + lane;
  if (column >= params.columns) {
    return;
  }
  let at = column / params.p;
  let first = at * params.n * params.p + column % params.p;
  let scalars = tokens[scalarsOf(at)];
  var answer = 0.0f;
  var seen = 0.0f;
  for (var i = 0u; i < params.n; i++) {
    let s = state[first + i * params.p] * decayAt(decayOf(at), i / 4u)[i % 4u];
    answer = fma(s, tokens[keyOf(at) + i / 4u][i % 4u], answer);
    seen = fma(s, tokens[queryOf(at) + i / 4u][i % 4u], seen);
  }
  let error = scalars.x * (v[column] - answer);
  for (var i = 0u; i < params.n; i++) {
    let s = state[first + i * params.p] * decayAt(decayOf(at), i / 4u)[i % 4u];
    state[first + i * params.p] = fma(error, tokens[keyOf(at) + i / 4u][i % 4u], s);
  }
  y[column] = fma(scalars.y, error, seen);
}
