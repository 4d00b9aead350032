// Copies between two strided views of 4-byte elements, or of whole vec4s of them: Transpose, Slice, Concat, Reverse, Pad and Tile.
//: variant UNIT = word | vec4
struct Params {
  size: u32, source: u32, destination: u32, // elements, first element on each side
  dims: array<vec4u, 8>, // extent, stride of x, stride of y (strides may be negative, modulo 2^32); RANK of them
}
@group(0) @binding(0) var<uniform> params: Params;
//: include parts/units/$UNIT.wgsl
const RANK = 1u;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i >= params.size) {
    return;
  }
  var rest = i;
  var source = params.source;
  var place = params.destination;
  for (var k = RANK; k > 0u; k--) {
    let dim = params.dims[k - 1u];
    let coordinate = rest % dim.x;
    rest /= dim.x;
    source += coordinate * dim.y;
    place += coordinate * dim.z;
  }
  y[place] = x[source];
}
