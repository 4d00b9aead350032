// A packed weight as f32: 16 bytes of it a thread. Also rows of it by id (embedding).
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
const BY_ID = false;
// rows to write; rows of the weight, and the bits that stand for an id that is none of them; scales: where those of a quantised weight begin, in vec4u
struct Params { rows: u32, k: u32, scales: u32, n: u32, none: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<i32>; //: if BY_ID // [rows]
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>; // [rows, k]

//: include parts/weights/$FORMAT.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = ((group.x + group.y * groups.x) * 256u + lid) * WIDTH; // quad
  let quads = params.k / 4u;
  let row = i / quads;
  if (row >= params.rows) {
    return;
  }
  var source = row;
  if (BY_ID) {
    source = u32(ids[row]);
    if (source >= params.n) {
      for (var j = 0u; j < WIDTH; j++) {
        y[i + j] = vec4f(bitcast<f32>(params.none));
      }
      return;
    }
  }
  let w = weights(source, i % quads);
  for (var j = 0u; j < WIDTH; j++) {
    y[i + j] = w[j];
  }
}
