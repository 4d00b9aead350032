// One AdamW step in place: arXiv 1711.05101, Algorithm 2, in the order of torch.optim.AdamW.
//: variant UNIT = vec4 | word
struct Params { size: u32 } // in units
@group(0) @binding(0) var<uniform> params: Params;
//: include parts/units/$UNIT.wgsl
@group(0) @binding(5) var<storage, read> hyper: array<f32>; // lr, beta1, beta2, eps, weight decay, 1 - beta1^t, 1 - beta2^t
@group(0) @binding(6) var<storage, read> gradScale: array<f32>; //: if HAS_SCALE // []
override HAS_SCALE = false;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  if (i >= params.size) {
    return;
  }
  let g = grad[i] * select(1.0f, gradScale[0], HAS_SCALE);
  let mean = fma(Unit(hyper[1]), m[i], (1.0f - hyper[1]) * g);
  let square = fma(Unit(hyper[2]), v[i], (1.0f - hyper[2]) * g * g);
  m[i] = mean;
  v[i] = square;
  let decayed = param[i] * (1.0f - hyper[0] * hyper[4]);
  param[i] = decayed - hyper[0] * (mean / hyper[5]) / (sqrt(square / hyper[6]) + hyper[3]);
}
