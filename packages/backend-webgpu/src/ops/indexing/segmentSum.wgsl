// Adds rows by id, in the order of the rows: the same bits on every run, without atomics.
// A workgroup belongs to a row and works only if the row is the first of its id; y was filled with zeros.
struct Params { rows: u32, width: u32, first: u32, count: u32 } // y holds `count` rows from id `first` on
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [rows, width]
@group(0) @binding(2) var<storage, read> ids: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read_write> y: array<u32>; // [count, width]
const INT = false;
const WG = 256u;
var<workgroup> earlier: atomic<u32>;
var<workgroup> belongs: u32; // 1 where the workgroup works
var<workgroup> same: array<u32, WG>; // which of 32 rows have the id, a bit each

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
  if (lid == 0u) {
    belongs = select(0u, 1u, atomicLoad(&earlier) == 0u && id >= 0 && slot < params.count);
  }
  if (workgroupUniformLoad(&belongs) == 0u) {
    return;
  }
  for (var begin = row; begin < params.rows; begin += 32u * WG) {
    var mask = 0u;
    for (var i = 0u; i < min(32u, params.rows - min(begin + 32u * lid, params.rows)); i++) {
      mask |= select(0u, 1u << i, ids[begin + 32u * lid + i] == id);
    }
    same[lid] = mask;
    workgroupBarrier();
    for (var column = lid + group.z * WG; column < params.width; column += WG * groups.z) {
      let at = slot * params.width + column;
      var sum = bitcast<f32>(y[at]);
      var sumInt = bitcast<i32>(y[at]);
      for (var word = 0u; word < min(WG, (params.rows - begin + 31u) / 32u); word++) {
        for (var rest = same[word]; rest != 0u; rest &= rest - 1u) {
          let value = x[(begin + 32u * word + firstTrailingBit(rest)) * params.width + column];
          if (INT) {
            sumInt += bitcast<i32>(value);
          } else {
            sum += bitcast<f32>(value);
          }
        }
      }
      y[at] = select(bitcast<u32>(sum), bitcast<u32>(sumInt), INT);
    }
    workgroupBarrier();
  }
}
