// Squares of several vectors, summed by parts of PART entries, a workgroup each: one dispatch reads as many vectors as can be bound.
//: variant VECTORS = few | many
struct Params {
  offset: u32, count: u32, // where the first sum goes, vectors
  sizes: array<vec4u, 4>, // of each vector
  firsts: array<vec4u, 4>, // its first part
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(16) var<storage, read_write> sums: array<f32>;
const WG = 256u;
const LANES = WG;
const PART = 16384u;

//: include parts/vectors/$VECTORS.wgsl
//: include ../shared/lanes/workgroup.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.x + group.y * groups.x;
  var which = 0u;
  for (var i = 1u; i < params.count; i++) {
    if (id >= params.firsts[i / 4u][i % 4u]) {
      which = i;
    }
  }
  let size = params.sizes[which / 4u][which % 4u];
  let begin = (id - params.firsts[which / 4u][which % 4u]) * PART;
  let end = min(begin + PART, size);
  var sum = vec4f();
  for (var first = begin + lid; first < end; first += 8u * WG) {
    let near = first + vec4u(0u, WG, 2u * WG, 3u * WG);
    let far = near + 4u * WG;
    let a = fourOf(which, min(near, vec4u(size - 1u)));
    let b = fourOf(which, min(far, vec4u(size - 1u)));
    sum += select(vec4f(), a * a, near < vec4u(end)) + select(vec4f(), b * b, far < vec4u(end));
  }
  let total = sumLanes(sum.x + sum.y + sum.z + sum.w, lid);
  if (lid == 0u && begin < size) {
    sums[params.offset + id] = total;
  }
}
