// What a chunk adds to the state after it, sum_s toEnd_s w_s v_s k_s^T; with ADJOINT what it adds to the adjoint of the state
// before it, sum_t fromStart_t dout_t q_t^T.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> values: array<f32>; // v or dout [b, l, h, r, p]
@group(0) @binding(2) var<storage, read> keys: array<f32>; // k or q [b, l, g, r, n]
@group(0) @binding(3) var<storage, read> decays: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> states: array<f32>; // [b, chunks, h, p, n]
const ADJOINT = false;
//: include parts/decays.wgsl
//: include parts/tokens.wgsl

fn left(m: u32, k: u32) -> f32 {
  if (m >= P || !inside(k)) {
    return 0.0f;
  }
  let token = stagedToken(k / R);
  return values[rowAt(k, params.h, own.z) * P + m] * select(token.toEnd * token.weight, token.fromStart, ADJOINT);
}
fn right(k: u32, n: u32) -> f32 {
  return select(0.0f, keys[rowAt(k, params.g, own.z * params.g / params.h) * N + min(n, N - 1u)], n < N && inside(k));
}
fn leftAlongK(k0: u32) -> bool {
  return false;
}
fn rightAlongK(k0: u32) -> bool {
  return false;
}
fn store(m: u32, n: u32, value: f32) {
  if (m < P && n < N) {
    states[(block * P + m) * N + n] = value;
  }
}

//: include parts/product.wgsl

@compute @workgroup_size(TX * TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  stageTokens(id, lid);
  product(group.x, N, ROWS, lid);
}
