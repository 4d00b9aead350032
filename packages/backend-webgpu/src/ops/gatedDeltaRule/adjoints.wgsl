// The state's adjoint at every token of a chunk, from its end: G += query dy^T; de = G^T key; before it, exp(g) (G - key (beta de)^T).
struct Params { columns: u32, l: u32, h: u32, n: u32, p: u32, begin: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(2) var<storage, read> dY: array<f32>; //: if HAS_DY // [b, l, h, p]
@group(0) @binding(3) var<storage, read> after: array<f32>; //: if HAS_AFTER // [b, h, n, p], from after the chunk
@group(0) @binding(4) var<storage, read_write> before: array<f32>; // [b, h, n, p]
@group(0) @binding(5) var<storage, read_write> adjoints: array<f32>; // [count, b, h, n, p]: G, the token's own dy taken in
@group(0) @binding(6) var<storage, read_write> dError: array<f32>; // [b, l, h, p]
@group(0) @binding(7) var<storage, read_write> dv: array<f32>; // [b, l, h, p]: beta dError
override HAS_DY = false;
override HAS_AFTER = false;

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
  var adjoint: array<vec4f, ROWS>;
  for (var m = 0u; m < ROWS; m++) {
    adjoint[m] = vec4f(0.0f);
    for (var j = 0u; HAS_AFTER && j < 4u && rowOf(m, lane) + j < params.n; j++) {
      adjoint[m][j] = after[first + (rowOf(m, lane) + j) * params.p];
    }
  }
  for (var back = 1u; back <= params.count; back++) {
    let t = params.count - back;
    let at = (row / params.h * params.l + params.begin + t) * params.h + row % params.h;
    let place = at * params.p + column % params.p;
    let query = queryOf(at);
    let key = keyOf(at);
    let decay = decayOf(at);
    let scalars = tokens[scalarsOf(at)];
    var dy = 0.0f;
    if (HAS_DY) {
      dy = dY[place];
    }
    var error = 0.0f;
    for (var m = 0u; m < ROWS; m++) {
      let i = vectorOf(m, lane);
      let g = adjoint[m] + dy * tokens[query + i];
      adjoint[m] = g;
      error += dot(g, tokens[key + i]);
      for (var j = 0u; inside && j < 4u && rowOf(m, lane) + j < params.n; j++) {
        adjoints[t * size + first + (rowOf(m, lane) + j) * params.p] = g[j];
      }
    }
    error = overLanes(vec2f(error, 0.0f), lid, back).x;
    if (inside && lane == 0u) {
      dError[place] = error;
      dv[place] = scalars.x * error;
    }
    for (var m = 0u; m < ROWS; m++) {
      let i = vectorOf(m, lane);
      let g = (adjoint[m] - scalars.x * error * tokens[key + i]) * decayAt(decay, i);
      adjoint[m] = select(g, vec4f(0.0f), scalars.z > 0.0f);
    }
  }
  for (var m = 0u; inside && m < ROWS; m++) {
    for (var j = 0u; j < 4u && rowOf(m, lane) + j < params.n; j++) {
      before[first + (rowOf(m, lane) + j) * params.p] = adjoint[m][j];
    }
  }
}
