// Gradients of adt, dt and trap from those of log decay and weights: gamma_t = lambda_t dt_t weighs what the token writes,
// (1 - lambda_t) dt_t what the token before it wrote, or (at t = 0) what stands before the row.
struct Params { count: u32, l: u32, h: u32, offset: u32 } // count = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dt: array<f32>; // [b, l, h]
@group(0) @binding(2) var<storage, read> trap: array<f32>; // [b, l, h]
@group(0) @binding(3) var<storage, read> coefficients: array<vec4f>; // [b, l, h]
@group(0) @binding(4) var<storage, read> grads: array<vec4f>; // [b, l, h]: log decay, weight, own weight, dout . v
@group(0) @binding(5) var<storage, read> dStart: array<f32>; //: if HAS_START // [b, h]
@group(0) @binding(6) var<storage, read_write> out: array<f32>; // [b, l, h] of adt, dt, trap and D [h], each at a multiple of offset
override HAS_START = false;

//: include ../shared/math.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.count) {
    return;
  }
  let token = i / params.h;
  var dBefore = 0.0f;
  if (token % params.l == 0u) {
    if (HAS_START) {
      dBefore = dStart[token / params.l * params.h + i % params.h];
    }
  } else if (coefficients[i].w == 0.0f) {
    dBefore = grads[i - params.h].y;
  }
  let grad = grads[i];
  let dGamma = grad.y + grad.z;
  let lambda = sigmoid(trap[i]);
  let rest = sigmoid(-trap[i]);
  out[i] = grad.x;
  out[params.offset + i] = dGamma * lambda + dBefore * rest;
  out[2u * params.offset + i] = dt[i] * (dGamma - dBefore) * lambda * rest;
  out[3u * params.offset + i] = grad.w;
}
