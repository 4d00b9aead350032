// Gradient of dt before bias, softplus and clamp, and each token's part of A's, from the gradients of log decay and weight.
struct Params { count: u32, h: u32, dtMin: f32, dtMax: f32, offset: u32 } // count = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dt: array<f32>; // [b, l, h]
@group(0) @binding(2) var<storage, read> A: array<f32>; // [h]
@group(0) @binding(3) var<storage, read> dtBias: array<f32>; //: if HAS_BIAS // [h]
@group(0) @binding(4) var<storage, read> coefficients: array<vec4f>; // [b, l, h]
@group(0) @binding(5) var<storage, read> grads: array<vec4f>; // [b, l, h], see decayGrads.wgsl
@group(0) @binding(6) var<storage, read_write> out: array<f32>; // [b, l, h] of dt, of A and of D [h], each at a multiple of offset
override HAS_BIAS = false;
override SOFTPLUS = false;

//: include ../shared/math.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.count) {
    return;
  }
  let head = i % params.h;
  var raw = dt[i];
  if (HAS_BIAS) {
    raw += dtBias[head];
  }
  let free = select(raw, softplus(raw), SOFTPLUS);
  var slope = select(1.0f, sigmoid(raw), SOFTPLUS);
  if (free < params.dtMin || free > params.dtMax) {
    slope = 0.0f;
  }
  let grad = grads[i];
  out[i] = (grad.x * A[head] + grad.y + grad.z) * slope;
  out[params.offset + i] = grad.x * coefficients[i].y;
  out[2u * params.offset + i] = grad.w;
}
