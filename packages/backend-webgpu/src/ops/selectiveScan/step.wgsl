// One token of the selective scan: L threads a channel, CH channels a workgroup; the state is changed in place.
//: variant OPERANDS = apart | joined
struct Params { b: u32, d: u32, n: u32, g: u32, offD: u32, offBias: u32, shiftB: u32, shiftC: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [b, d]
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [b, d]
@group(0) @binding(3) var<storage, read> z: array<f32>; //: if HAS_Z // [b, d]
@group(0) @binding(4) var<storage, read> B: array<f32>; // [b, g, n], from shiftB on
@group(0) @binding(5) var<storage, read> C: array<f32>; // [b, g, n], from shiftC on
@group(0) @binding(6) var<storage, read_write> state: array<f32>; // [b, d, n]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [b, d]
override HAS_D = false;
override HAS_Z = false;
override HAS_BIAS = false;
override SOFTPLUS = false;
const L = 4u;
const CH = 16u;
var<workgroup> partial: array<f32, L * CH>;

//: include ../shared/math.wgsl
//: include parts/stepOperands/$OPERANDS.wgsl

@compute @workgroup_size(L * CH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let channel = group.x * CH + lid / L;
  let row = group.y;
  let c = min(channel, params.d - 1u);
  let at = row * params.d + c;
  var step = delta[at];
  if (HAS_BIAS) {
    step += biasAt(c);
  }
  if (SOFTPLUS) {
    step = softplus(step);
  }
  let input = u[at];
  let bc = (row * params.g + c * params.g / params.d) * params.n;
  var sum = 0.0f;
  if (channel < params.d) {
    for (var n = lane; n < params.n; n += L) {
      let i = at * params.n + n;
      let next = exp2KeepingNan(step * aAt(c * params.n + n) * log2e) * state[i] + step * input * B[params.shiftB + bc + n];
      state[i] = next;
      sum += next * C[params.shiftC + bc + n];
    }
  }
  partial[lid] = sum;
  workgroupBarrier();
  if (lane == 0u && channel < params.d) {
    var total = 0.0f;
    for (var j = 0u; j < L; j++) {
      total += partial[lid + j];
    }
    if (HAS_D) {
      total += dAt(c) * input;
    }
    if (HAS_Z) {
      total *= silu(z[at]);
    }
    y[at] = total;
  }
}
