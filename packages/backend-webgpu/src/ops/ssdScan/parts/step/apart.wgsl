@group(0) @binding(1) var<storage, read> dt: array<f32>; // [b, h]
@group(0) @binding(9) var<storage, read> A: array<f32>; // [h]
@group(0) @binding(10) var<storage, read> dtBias: array<f32>; //: if HAS_BIAS // [h]
override HAS_BIAS = false;
//: include ../boundedStep.wgsl

fn coefficientsOf(i: u32, head: u32) -> vec2f {
  var raw = dt[i];
  if (HAS_BIAS) {
    raw += dtBias[head];
  }
  let step = boundedStep(raw);
  return vec2f(step * A[head], step);
}
