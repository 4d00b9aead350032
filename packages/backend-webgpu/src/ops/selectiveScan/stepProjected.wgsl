// step.wgsl for one row, with the projection that makes its delta taken in (see src/fusion); delta is written too.
//: variant FORMAT = f32 | f16 | bf16
struct Params { d: u32, n: u32, g: u32, rowB: u32, rowC: u32, k: u32, scales: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> projected: array<vec4f>; // delta's inputs [k]; B [g, n] from rowB on, C from rowC on
@group(0) @binding(3) var<storage, read> u: array<f32>; // [d]
@group(0) @binding(4) var<storage, read> z: array<f32>; //: if HAS_Z // [d]
@group(0) @binding(5) var<storage, read> A: array<f32>; // [d, n]
@group(0) @binding(6) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(7) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(8) var<storage, read_write> state: array<f32>; // [d, n]
@group(0) @binding(9) var<storage, read_write> delta: array<f32>; // [d]
@group(0) @binding(10) var<storage, read_write> y: array<f32>; // [d]
override HAS_D = false;
override HAS_Z = false;
override HAS_BIAS = false;
override SOFTPLUS = false;
const L = 4u;
const CH = 8u;
var<workgroup> partial: array<f32, L * CH>;

//: include ../shared/math.wgsl
//: include ../linear/parts/weights/$FORMAT.wgsl

fn projectedAt(i: u32) -> f32 {
  return projected[i / 4u][i % 4u];
}

fn overLanes(value: f32, lid: u32) -> f32 {
  partial[lid] = value;
  workgroupBarrier();
  var total = 0.0f;
  for (var j = 0u; j < L; j++) {
    total += partial[lid - lid % L + j];
  }
  workgroupBarrier();
  return total;
}

@compute @workgroup_size(L * CH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let channel = group.x * CH + lid / L;
  let c = min(channel, params.d - 1u);
  var product = 0.0f;
  for (var q = lane * WIDTH; q < params.k / 4u; q += L * WIDTH) {
    let w = weights(c, q);
    for (var j = 0u; j < WIDTH; j++) {
      product += dot(w[j], projected[q + j]);
    }
  }
  let raw = overLanes(product, lid);
  var step = raw;
  if (HAS_BIAS) {
    step += deltaBias[c];
  }
  if (SOFTPLUS) {
    step = softplus(step);
  }
  let input = u[c];
  let bc = c * params.g / params.d * params.n;
  var sum = 0.0f;
  if (channel < params.d) {
    for (var n = lane; n < params.n; n += L) {
      let i = c * params.n + n;
      let next = exp2KeepingNan(step * A[i] * log2e) * state[i] + step * input * projectedAt(params.rowB + bc + n);
      state[i] = next;
      sum += next * projectedAt(params.rowC + bc + n);
    }
  }
  var total = overLanes(sum, lid);
  if (lane == 0u && channel < params.d) {
    delta[c] = raw;
    if (HAS_D) {
      total += D[c] * input;
    }
    if (HAS_Z) {
      total *= silu(z[c]);
    }
    y[c] = total;
  }
}
