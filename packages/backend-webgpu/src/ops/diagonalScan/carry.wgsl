// The state that every chunk starts from, out of what each chunk ends in from zero and the product of its decays.
struct Params { count: u32, n: u32, chunks: u32 } // count = b n
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> initial: array<vec2f>; //: if HAS_INITIAL // [b, n]
@group(0) @binding(2) var<storage, read> ends: array<vec4f>; // [b, chunks, n]: end, product
@group(0) @binding(3) var<storage, read_write> starts: array<vec2f>; // [b, chunks, n]
override HAS_INITIAL = false;

//: include parts/complex.wgsl

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 32u + lane;
  if (i >= params.count) {
    return;
  }
  var state = vec2f(0.0f);
  if (HAS_INITIAL) {
    state = initial[i];
  }
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    let at = (i / params.n * params.chunks + chunk) * params.n + i % params.n;
    starts[at] = state;
    state = times(ends[at].zw, state) + ends[at].xy;
  }
}
