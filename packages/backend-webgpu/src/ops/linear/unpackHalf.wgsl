// A half-float weight as f32, an element a thread: for rows that are not whole 16-byte words. Also rows of it by id (embedding).
struct Params { rows: u32, k: u32, n: u32, none: u32 } // rows of the weight, and the bits for an id that is none of them
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<i32>; //: if BY_ID // [rows]
@group(0) @binding(2) var<storage, read> W: array<u32>; //: packed // [n k / 2]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [rows, k]
const BY_ID = false;
const BF16 = false;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.rows * params.k) {
    return;
  }
  var row = i / params.k;
  if (BY_ID) {
    row = u32(ids[row]);
    if (row >= params.n) {
      y[i] = bitcast<f32>(params.none);
      return;
    }
  }
  let at = row * params.k + i % params.k;
  let half = (W[at / 2u] >> (16u * (at % 2u))) & 0xffffu;
  y[i] = select(unpack2x16float(half).x, bitcast<f32>(half << 16u), BF16);
}
