// The first key that each query of packed rows may see.
struct Params { bl: u32, l: u32, before: u32 } // keys in front of the l tokens
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> seqIdx: array<i32>; // [b, l]
@group(0) @binding(2) var<storage, read_write> first: array<i32>; // [b, l]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.bl) {
    return;
  }
  var s = i % params.l;
  while (s > 0u && seqIdx[i - i % params.l + s] == seqIdx[i - i % params.l + s - 1u]) {
    s--;
  }
  first[i] = select(i32(params.before + s), 0, s == 0u);
}
