// Depthwise causal convolution, a thread an output. Windows do not reach over the start of a packed sequence.
struct Params { b: u32, l: u32, d: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [b, l, d]
@group(0) @binding(2) var<storage, read> weight: array<f32>; // [d, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(4) var<storage, read> initialState: array<f32>; //: if HAS_INITIAL // [b, k-1, d]
@group(0) @binding(5) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // [b, l, d]
@group(0) @binding(7) var<storage, read_write> lastState: array<f32>; //: if KEEP_LAST // [b, k-1, d]
override HAS_BIAS = false;
override HAS_INITIAL = false;
override HAS_SEQ = false;
override KEEP_LAST = false;
override SILU = false;

//: include ../shared/math.wgsl
//: include parts/together.wgsl
//: include parts/window.wgsl

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 128u + lane;
  if (i >= params.b * params.l * params.d) {
    return;
  }
  let c = i % params.d;
  let t = i / params.d % params.l;
  let row = i / (params.d * params.l);
  let sum = convolveAt(row, t, c);
  y[i] = select(sum, silu(sum), SILU);
  // The thread of the last step also keeps the last k-1 inputs.
  if (KEEP_LAST && t == params.l - 1u) {
    for (var j = 0u; j < params.k - 1u; j++) {
      let s = i32(params.l + j) - i32(params.k - 1u);
      lastState[(row * (params.k - 1u) + j) * params.d + c] = select(0.0f, inputAt(row, s, c), together(row, s, i32(params.l) - 1));
    }
  }
}
