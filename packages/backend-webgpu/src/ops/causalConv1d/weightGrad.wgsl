// Gradients of the convolution's weight and bias: a thread a channel and tap (the last tap + 1 is the bias), over a part of the steps.
struct Params { b: u32, l: u32, d: u32, k: u32, part: u32, parts: u32 } // steps a part, parts of the b l steps
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> initialState: array<f32>; //: if HAS_INITIAL // [b, k-1, d]
@group(0) @binding(3) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(4) var<storage, read> e: array<f32>; // [b, l, d]
@group(0) @binding(5) var<storage, read_write> sums: array<f32>; // [parts, d k + d]
override HAS_INITIAL = false;
override HAS_SEQ = false;
const HAS_BIAS = false;
const bias = array<f32, 1>(0.0f);
const weight = array<f32, 1>(0.0f);

//: include parts/together.wgsl
//: include parts/window.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c = group.x * 64u + lane;
  let j = group.y;
  if (c >= params.d) {
    return;
  }
  let begin = group.z * params.part;
  let end = min(begin + params.part, params.b * params.l);
  var sum = 0.0f;
  for (var step = begin; step < end; step++) {
    let row = step / params.l;
    let t = i32(step % params.l);
    let upstream = e[step * params.d + c];
    if (j == params.k) {
      sum += upstream;
    } else {
      let s = t + i32(j) - i32(params.k - 1u);
      if (together(row, s, t)) {
        sum += upstream * inputAt(row, s, c);
      }
    }
  }
  let width = params.d * (params.k + 1u);
  sums[group.z * width + select(c * params.k + j, params.d * params.k + c, j == params.k)] = sum;
}
