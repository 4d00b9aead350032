// The step of every token and head: log decay dt A, weight dt (at other tokens and at its own), and whether a sequence begins.
struct Params { count: u32, l: u32, h: u32, dtMin: f32, dtMax: f32 } // count = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dt: array<f32>; // [b, l, h]
@group(0) @binding(2) var<storage, read> A: array<f32>; // [h]
@group(0) @binding(3) var<storage, read> dtBias: array<f32>; //: if HAS_BIAS // [h]
@group(0) @binding(4) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(5) var<storage, read_write> coefficients: array<vec4f>; // [b, l, h]
override HAS_BIAS = false;
override HAS_SEQ = false;

//: include ../shared/math.wgsl
//: include parts/boundedStep.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.count) {
    return;
  }
  let head = i % params.h;
  let token = i / params.h;
  var raw = dt[i];
  if (HAS_BIAS) {
    raw += dtBias[head];
  }
  let step = boundedStep(raw);
  var restarts = false;
  if (HAS_SEQ && token % params.l != 0u) {
    restarts = seqIdx[token] != seqIdx[token - 1u];
  }
  coefficients[i] = vec4f(step * A[head], step, step, select(0.0f, 1.0f, restarts));
}
