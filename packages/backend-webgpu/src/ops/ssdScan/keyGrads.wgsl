// Gradients of q and (OF_KEYS) of k, summed over the heads of a group:
// dq = (decay w * (dout v^T)) k + fromStart dout state;   dk = (decay w * (dout v^T))^T q + toEnd w v dstate.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> scores: array<f32>; // dout v^T [b, chunks, h, ROWS, ROWS]
@group(0) @binding(2) var<storage, read> values: array<f32>; // dout (OF_KEYS: v) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> keys: array<f32>; // k (OF_KEYS: q) [b, l, g, r, n]
@group(0) @binding(4) var<storage, read> decays: array<vec4f>;
@group(0) @binding(5) var<storage, read> states: array<f32>; // before each chunk (OF_KEYS: adjoint after it) [b, chunks, h, p, n]
@group(0) @binding(6) var<storage, read_write> out: array<f32>; // [b, l, g, r, n]
const OF_KEYS = false;
//: include parts/decays.wgsl
//: include parts/tokens.wgsl

// The head whose share is being added, among those of all chunks.
var<private> owner: u32;

fn left(m: u32, s: u32) -> f32 {
  if (!inside(m)) {
    return 0.0f;
  }
  let mine = stagedToken(m / R);
  if (s >= ROWS) {
    return select(mine.fromStart, mine.toEnd * mine.weight, OF_KEYS) * values[rowAt(m, params.h, owner % params.h) * P + s - ROWS];
  }
  if (s / R == m / R) {
    return mine.ownWeight * scores[(owner * ROWS + select(m, s, OF_KEYS)) * ROWS + select(s, m, OF_KEYS)];
  }
  let other = stagedToken(s / R);
  if (OF_KEYS) {
    return select(0.0f, decayBetween(other, mine) * mine.weight * scores[(owner * ROWS + s) * ROWS + m], s > m);
  }
  return select(0.0f, decayBetween(mine, other) * other.weight * scores[(owner * ROWS + m) * ROWS + s], s < m);
}
fn right(s: u32, n: u32) -> f32 {
  if (n >= N) {
    return 0.0f;
  }
  if (s >= ROWS) {
    return states[(owner * P + s - ROWS) * N + n];
  }
  return select(0.0f, keys[rowAt(s, params.g, own.z) * N + n], inside(s));
}
fn leftAlongK(k0: u32) -> bool {
  return !OF_KEYS || k0 >= ROWS;
}
fn rightAlongK(k0: u32) -> bool {
  return false;
}
fn store(m: u32, n: u32, value: f32) {
  if (inside(m) && n < N) {
    out[rowAt(m, params.g, own.z) * N + n] = value;
  }
}

//: include parts/product.wgsl

@compute @workgroup_size(TX * TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.g);
  let first = tileAt(group.x, N);
  var sums: array<vec4f, 4>;
  let heads = params.h / params.g;
  for (var head = 0u; head < heads; head++) {
    owner = block / params.g * params.h + own.z * heads + head;
    stageTokens(owner, lid);
    accumulate(&sums, first, ROWS + P, lid);
  }
  finish(sums, first, lid);
}
