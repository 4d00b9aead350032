// Gradients of the norms of forward.wgsl with respect to x and z, and the terms whose column sums are dWeight.
// With v the normalised input, w the weight and e = dy w (gate included): dx = scale (e - v mean(e v) [- mean(e)]).
//: variant SUMS = workgroup | subgroup
struct Params { groups: u32, size: u32, d: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [groups, size]
@group(0) @binding(2) var<storage, read> weight: array<f32>; //: if HAS_WEIGHT // [d]
@group(0) @binding(3) var<storage, read> z: array<f32>; //: if HAS_Z // [groups, size]
@group(0) @binding(4) var<storage, read> dy: array<f32>; // [groups, size]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<storage, read_write> dz: array<f32>; //: optional
@group(0) @binding(7) var<storage, read_write> terms: array<f32>; //: if HAS_TERMS // dy v (gate included)
override HAS_WEIGHT = false;
override HAS_TERMS = false; // the weight's gradient is asked for
override HAS_Z = false;
override LAYER = false;
override NORM_BEFORE_GATE = false;
const WG = 256u;
const LANES = 256u;

//: include ../shared/math.wgsl
//: include ../shared/lanes/$SUMS.wgsl

fn gatedAt(i: u32) -> f32 {
  if (HAS_Z && !NORM_BEFORE_GATE) {
    return x[i] * silu(z[i]);
  }
  return x[i];
}

// dy as it reaches the weighted, normalised value.
fn upstreamAt(i: u32) -> f32 {
  if (HAS_Z && NORM_BEFORE_GATE) {
    return dy[i] * silu(z[i]);
  }
  return dy[i];
}

fn weightAt(column: u32) -> f32 {
  if (HAS_WEIGHT) {
    return weight[column];
  }
  return 1.0f;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  let base = min(id, params.groups - 1u) * params.size;
  let size = f32(params.size);
  var mean = 0.0f;
  if (LAYER) {
    for (var i = lane; i < params.size; i += LANES) {
      mean += x[base + i];
    }
    mean = sumLanes(mean, lid) / size;
  }
  var squares = 0.0f;
  for (var i = lane; i < params.size; i += LANES) {
    let v = gatedAt(base + i) - mean;
    squares += v * v;
  }
  let scale = 1.0f / sqrt(sumLanes(squares, lid) / size + params.eps);
  var alongV = 0.0f;
  var along1 = 0.0f;
  for (var i = lane; i < params.size; i += LANES) {
    let e = upstreamAt(base + i) * weightAt((base + i) % params.d);
    alongV += e * (gatedAt(base + i) - mean) * scale;
    along1 += e;
  }
  alongV = sumLanes(alongV, lid) / size;
  along1 = sumLanes(along1, lid) / size;
  if (id >= params.groups) {
    return;
  }
  for (var i = lane; i < params.size; i += LANES) {
    let at = base + i;
    let w = weightAt(at % params.d);
    let v = (gatedAt(at) - mean) * scale;
    var d = upstreamAt(at) * w - v * alongV;
    if (LAYER) {
      d -= along1;
    }
    d *= scale;
    if (HAS_TERMS) {
      terms[at] = upstreamAt(at) * v;
    }
    if (HAS_Z && NORM_BEFORE_GATE) {
      dz[at] = dy[at] * v * w * siluSlope(z[at]);
    }
    if (HAS_Z && !NORM_BEFORE_GATE) {
      dz[at] = d * x[at] * siluSlope(z[at]);
      d *= silu(z[at]);
    }
    dx[at] = d;
  }
}
