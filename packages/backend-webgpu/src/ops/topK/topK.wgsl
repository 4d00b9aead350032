// Places of the k largest of a row, the lower one at a tie; a workgroup a row. Each round takes the first that comes after the one before.
struct Params { rows: u32, n: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, n]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [rows, k]
const WG = 64u;
const NONE = 0xffffffffu;
var<workgroup> values: array<f32, WG>;
var<workgroup> places: array<u32, WG>;

// Whether the value a at place i goes before b at place j.
fn before(a: f32, i: u32, b: f32, j: u32) -> bool {
  return i != NONE && (j == NONE || a > b || (a == b && i < j));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = group.x + group.y * groups.x;
  let base = min(row, params.rows - 1u) * params.n;
  var last = 0.0f;
  var lastPlace = NONE;
  for (var slot = 0u; slot < params.k; slot++) {
    var best = 0.0f;
    var place = NONE;
    for (var i = lid; i < params.n; i += WG) {
      let value = x[base + i];
      if ((slot == 0u || before(last, lastPlace, value, i)) && before(value, i, best, place)) {
        best = value;
        place = i;
      }
    }
    values[lid] = best;
    places[lid] = place;
    for (var half = WG / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lid < half && before(values[lid + half], places[lid + half], values[lid], places[lid])) {
        values[lid] = values[lid + half];
        places[lid] = places[lid + half];
      }
    }
    workgroupBarrier();
    last = values[0];
    lastPlace = places[0];
    if (lid == 0u && row < params.rows) {
      y[row * params.k + slot] = min(lastPlace, params.n - 1u);
    }
    workgroupBarrier();
  }
}
