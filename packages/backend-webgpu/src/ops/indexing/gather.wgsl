// Picks slices of x by index along an axis (gather), or writes ones at indices (oneHot, with x absent).
// size = outer ids inner; x begins at row `first` of `whole`; the word `none` is for an id that is none of them
struct Params { size: u32, ids: u32, extent: u32, inner: u32, first: u32, whole: u32, none: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; //: optional // [outer, extent, inner]
@group(0) @binding(2) var<storage, read> indices: array<i32>; // [ids]
@group(0) @binding(3) var<storage, read_write> y: array<u32>; // [outer, ids, inner]
override ONE_HOT = false; // y [ids, inner], inner = depth

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i >= params.size) {
    return;
  }
  let inner = i % params.inner;
  let id = indices[i / params.inner % params.ids];
  if (ONE_HOT) {
    y[i] = bitcast<u32>(select(0.0f, 1.0f, id == i32(inner)));
  } else {
    let outer = i / (params.inner * params.ids);
    let row = u32(id) - params.first;
    // Rows of another part of a table that is too large for one binding are another dispatch's.
    if (row < params.extent) {
      y[i] = x[(outer * params.extent + row) * params.inner + inner];
    } else if (u32(id) >= params.whole) {
      y[i] = params.none;
    }
  }
}
