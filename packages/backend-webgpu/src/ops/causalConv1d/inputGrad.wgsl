// Gradients of the convolution's inputs: dx, and what reaches the initial state; dLastState passes straight through.
struct Params { b: u32, l: u32, d: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>; // [d, k]
@group(0) @binding(2) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(3) var<storage, read> e: array<f32>; //: if HAS_E // [b, l, d], gradient before the activation
@group(0) @binding(4) var<storage, read> dLastState: array<f32>; //: if HAS_LAST // [b, k-1, d]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // [b, l, d]
@group(0) @binding(6) var<storage, read_write> dInitial: array<f32>; //: if HAS_INITIAL // [b, k-1, d]
override HAS_INITIAL = false;
override HAS_SEQ = false;
override HAS_LAST = false;
override HAS_E = false;

//: include parts/together.wgsl

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  // A row has k-1 steps of initial state, if any, and then l inputs.
  let before = select(0u, params.k - 1u, HAS_INITIAL);
  let i = (group.x + group.y * groups.x) * 128u + lane;
  if (i >= params.b * (before + params.l) * params.d) {
    return;
  }
  let c = i % params.d;
  let s = i32(i / params.d % (before + params.l)) - i32(before);
  let row = i / (params.d * (before + params.l));
  var sum = 0.0f;
  if (HAS_E) {
    for (var j = 0u; j < params.k; j++) {
      let t = s + i32(params.k - 1u) - i32(j);
      if (t >= 0 && t < i32(params.l) && together(row, s, t)) {
        sum += weight[c * params.k + j] * e[(row * params.l + u32(t)) * params.d + c];
      }
    }
  }
  let j = s - i32(params.l) + i32(params.k - 1u);
  if (HAS_LAST && j >= 0 && together(row, s, i32(params.l) - 1)) {
    sum += dLastState[(row * (params.k - 1u) + u32(j)) * params.d + c];
  }
  if (s >= 0) {
    dx[(row * params.l + u32(s)) * params.d + c] = sum;
  } else {
    dInitial[(row * (params.k - 1u) + u32(s + i32(params.k - 1u))) * params.d + c] = sum;
  }
}
