// The step of a workgroup's channels, once `project` has put delta's inputs, B and C into `projected`.
const L = WG / CH; // threads a channel
const PER = (N + L - 1u) / L; // states a thread
const QUADS = (R / 4u + L - 1u) / L; // quads of delta's inputs a thread
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
  let input = inputAt(c);
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
