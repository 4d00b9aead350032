// Adds rows by id, in the order of the rows: the same bits on every run, without atomics.
// A workgroup belongs to a row and works only if the row is the first of its id; y was filled with zeros.
struct Params { rows: u32, width: u32, first: u32, count: u32 } // y holds `count` rows from id `first` on
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [rows, width]
@group(0) @binding(2) var<storage, read> ids: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read_write> y: array<u32>; // [count, width]
const INT = false;
const WG = 64u;
var<workgroup> earlier: atomic<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = min(group.x + group.y * groups.x, params.rows - 1u);
  let id = ids[row];
  for (var i = lid; i < row; i += WG) {
    if (ids[i] == id) {
      atomicStore(&earlier, 1u);
    }
  }
  workgroupBarrier();
  let slot = u32(id) - params.first;
  if (atomicLoad(&earlier) != 0u || id < 0 || slot >= params.count) {
    return;
  }
  for (var column = lid + group.z * WG; column < params.width; column += WG * groups.z) {
    var sum = 0.0f;
    var sumInt = 0;
    for (var i = row; i < params.rows; i++) {
      if (ids[i] == id) {
        if (INT) {
          sumInt += bitcast<i32>(x[i * params.width + column]);
        } else {
          sum += bitcast<f32>(x[i * params.width + column]);
        }
      }
    }
    y[slot * params.width + column] = select(bitcast<u32>(sum), bitcast<u32>(sumInt), INT);
  }
}
