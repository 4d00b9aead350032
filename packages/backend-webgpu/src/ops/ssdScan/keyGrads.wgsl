// Gradients of q and (OF_KEYS) of k, summed over the heads of a group:
// dq = pairs k + sum_h fromStart dout state;   dk = pairs^T q + sum_h toEnd w v dstate.
//: variant WIDTHS = vector | scalar
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(4) var<storage, read> decays: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>; // [b, l, g, r, n]
const OF_KEYS = false;
//: include parts/decays.wgsl
//: include parts/tokens.wgsl

// The head whose share is being added, among those of all chunks.
var<private> owner: u32;

// Of the state, what row m has to do with.
fn shareOf(m: u32) -> f32 {
  let token = stagedToken(m / R);
  return select(token.fromStart, token.toEnd * token.weight, OF_KEYS);
}

//: include parts/keyGrads/$WIDTHS.wgsl

fn store(m: u32, n: u32, value: f32) {
  if (inside(m) && n < N) {
    out[rowAt(m, params.g, own.z) * N + n] = value;
  }
}

const MASKED = true;
fn reaches(m: u32, k0: u32) -> bool {
  return true;
}
fn concerns(m: u32, k: u32) -> bool {
  if (k >= ROWS) {
    return ofStates(m, OF_KEYS);
  }
  return m / R == k / R || (sameSequence(m, k) && (k > m) == OF_KEYS);
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
    if (head == 0u) {
      accumulate(&sums, first, 0u, ROWS, !OF_KEYS, false, lid);
    }
    accumulate(&sums, first, ROWS, ROWS + P, true, false, lid);
  }
  finish(sums, first, lid);
}
