// Root-mean-square norm (gated, in groups) and layer norm: a set of LANES threads a group of the last axis.
//: variant SUMS = workgroup | subgroup
struct Params { groups: u32, size: u32, d: u32, eps: f32 } // groups of `size` elements; d: last axis
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [groups, size]
@group(0) @binding(2) var<storage, read> weight: array<f32>; //: if HAS_WEIGHT // [d]
@group(0) @binding(3) var<storage, read> other: array<f32>; //: if HAS_OTHER // z [groups, size], or the bias [d] of a layer norm
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [groups, size]
override HAS_WEIGHT = false;
override HAS_OTHER = false;
override LAYER = false;
override NORM_BEFORE_GATE = false;
const WG = 256u;
const LANES = 256u;

//: include ../shared/math.wgsl
//: include ../shared/lanes/$SUMS.wgsl

fn gatedAt(i: u32) -> f32 {
  if (HAS_OTHER && !LAYER && !NORM_BEFORE_GATE) {
    return x[i] * silu(other[i]);
  }
  return x[i];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  let base = min(id, params.groups - 1u) * params.size;
  var mean = 0.0f;
  if (LAYER) {
    for (var i = lane; i < params.size; i += LANES) {
      mean += x[base + i];
    }
    mean = sumLanes(mean, lid) / f32(params.size);
  }
  var squares = 0.0f;
  for (var i = lane; i < params.size; i += LANES) {
    let v = gatedAt(base + i) - mean;
    squares += v * v;
  }
  let scale = 1.0f / sqrt(sumLanes(squares, lid) / f32(params.size) + params.eps);
  if (id >= params.groups) {
    return;
  }
  for (var i = lane; i < params.size; i += LANES) {
    let column = (base + i) % params.d;
    var v = (gatedAt(base + i) - mean) * scale;
    if (HAS_WEIGHT) {
      v *= weight[column];
    }
    if (HAS_OTHER && LAYER) {
      v += other[column];
    }
    if (HAS_OTHER && !LAYER && NORM_BEFORE_GATE) {
      v *= silu(other[base + i]);
    }
    y[base + i] = v;
  }
}
