// step.wgsl for one row, with both projections before it taken in (see src/fusion): from the convolution's output to y in one dispatch.
// Each workgroup makes the whole first projection (delta's inputs, B and C) for itself. Its weights are small and come from the
// cache; the dispatch that is saved costs more. What the separate kernels would have written is written too.
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
//: variant DELTA_FORMAT = f32 | f16 | bf16
//: variant SUMS = workgroup | subgroup
const WG = 512u;
const LANES = 32u; // threads a row of the first projection
const CH = 32u; // channels a workgroup
const K = 1536u; // inputs of the first projection
const ROWS = 80u; // its outputs
const R = 48u; // the first of them go into delta
const N = 16u;
override HAS_D = false;
override HAS_Z = false;
override HAS_BIAS = false;
override SOFTPLUS = false;

struct Params { d: u32, g: u32, rowB: u32, rowC: u32, k: u32, scales: u32 } // B and C: outputs of the first projection from rowB, rowC on
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<vec4f>; // [d], d = K
@group(0) @binding(4) var<storage, read> z: array<f32>; //: if HAS_Z // [d]
@group(0) @binding(5) var<storage, read> A: array<f32>; // [d, N]
@group(0) @binding(6) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(7) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(8) var<storage, read_write> state: array<f32>; // [d, N]
@group(0) @binding(9) var<storage, read_write> projectedOut: array<f32>; // [ROWS]
@group(0) @binding(10) var<storage, read_write> delta: array<f32>; // [d]
@group(0) @binding(11) var<storage, read_write> y: array<f32>; // [d]

//: include ../shared/math.wgsl
//: include ../linear/parts/weights/$FORMAT.wgsl
//: include parts/deltaWeights/$DELTA_FORMAT.wgsl
//: include parts/sumOver/$SUMS.wgsl

const L = WG / CH; // threads a channel
const PER = (N + L - 1u) / L; // states a thread
const QUADS = (R / 4u + L - 1u) / L; // quads of delta's inputs a thread
const STEPS = (K / 4u + LANES * WIDTH - 1u) / (LANES * WIDTH);
const TURNS = (ROWS * LANES + WG - 1u) / WG;
var<workgroup> projected: array<f32, ROWS>;

fn projectedQuad(q: u32) -> vec4f {
  return vec4f(projected[4u * q], projected[4u * q + 1u], projected[4u * q + 2u], projected[4u * q + 3u]);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let lane = lid % L;
  let channel = group.x * CH + lid / L;
  let c = min(channel, params.d - 1u);
  // What does not wait for the first projection is loaded before it.
  var w: array<vec4f, QUADS>;
  //: unroll
  for (var i = 0u; i < QUADS; i++) {
    w[i] = deltaWeights(c, min(lane + i * L, R / 4u - 1u)) * select(0.0f, 1.0f, lane + i * L < R / 4u);
  }
  var decay: array<f32, PER>;
  var before: array<f32, PER>;
  //: unroll
  for (var i = 0u; i < PER; i++) {
    let at = c * N + min(lane + i * L, N - 1u);
    decay[i] = A[at] * log2e;
    before[i] = state[at];
  }
  let input = u[c / 4u][c % 4u];
  let bias = select(0.0f, deltaBias[select(0u, c, HAS_BIAS)], HAS_BIAS);
  let skip = select(0.0f, D[select(0u, c, HAS_D)], HAS_D);
  let gate = z[select(0u, c, HAS_Z)];
  project(lid);
  if (group.x == 0u) {
    for (var row = lid; row < ROWS; row += WG) {
      projectedOut[row] = projected[row];
    }
  }
  var product = 0.0f;
  //: unroll
  for (var i = 0u; i < QUADS; i++) {
    product += dot(w[i], projectedQuad(min(lane + i * L, R / 4u - 1u)));
  }
  product = sumOver(product, lid, L);
  var step = product + bias;
  if (SOFTPLUS) {
    step = softplus(step);
  }
  let bc = c * params.g / params.d * N;
  var sum = 0.0f;
  //: unroll
  for (var i = 0u; i < PER; i++) {
    let n = lane + i * L;
    if (n < N && channel < params.d) {
      let next = exp2KeepingNan(step * decay[i]) * before[i] + step * input * projected[params.rowB + bc + n];
      state[c * N + n] = next;
      sum += next * projected[params.rowC + bc + n];
    }
  }
  sum = sumOver(sum, lid, L) + skip * input;
  if (lane == 0u && channel < params.d) {
    delta[c] = product;
    y[c] = select(sum, sum * silu(gate), HAS_Z);
  }
}

// The first projection, into `projected`: the threads keep their parts of u in registers over all rows.
fn project(lid: u32) {
  let at = lid % LANES;
  var inputs: array<vec4f, STEPS * WIDTH>;
  //: unroll
  for (var s = 0u; s < STEPS; s++) {
    let quad = (s * LANES + at) * WIDTH;
    //: unroll
    for (var j = 0u; j < WIDTH; j++) {
      inputs[s * WIDTH + j] = u[min(quad, K / 4u - WIDTH) + j] * select(0.0f, 1.0f, quad < K / 4u);
    }
  }
  //: unroll
  for (var t = 0u; t < TURNS; t++) {
    let row = t * (WG / LANES) + lid / LANES;
    var sum = 0.0f;
    //: unroll
    for (var s = 0u; s < STEPS; s++) {
      let rowW = weights(min(row, ROWS - 1u), min((s * LANES + at) * WIDTH, K / 4u - WIDTH));
      //: unroll
      for (var j = 0u; j < WIDTH; j++) {
        sum += dot(rowW[j], inputs[s * WIDTH + j]);
      }
    }
    sum = sumOver(sum, lid, LANES);
    if (at == 0u && row < ROWS) {
      projected[row] = sum;
    }
  }
  workgroupBarrier();
}
