// What a chunk adds to the state after it, sum_s toEnd_s w_s v_s k_s^T; with ADJOINT what it adds to the adjoint of the state
// before it, sum_t fromStart_t dout_t q_t^T.
//: variant WIDTHS = vector | scalar
//: variant WHEN = Always | Loud
//: include parts/chunks.wgsl
//: include parts/when/$WHEN.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(3) var<storage, read> decays: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> states: array<f32>; // [b, chunks, h, p, n]
const ADJOINT = false;
//: include parts/decays.wgsl
//: include parts/tokens.wgsl
//: include parts/chunkStates/$WIDTHS.wgsl

// Whether a row of the chunk is of the sequence that the state after the chunk (ADJOINT: before it) is of.
fn counts(k: u32) -> bool {
  let restarts = select(stagedToken(Q - 1u).restarts, 0.0f, ADJOINT);
  return inside(k) && stagedToken(k / R).restarts == restarts;
}

fn store(m: u32, n: u32, value: f32) {
  if (m < P && n < N) {
    states[(block * P + m) * N + n] = value;
  }
}

// Depth counts tokens, whose two sides come as 0 where they do not count.
const MASKED = false;
fn reaches(m: u32, k0: u32) -> bool {
  return true;
}
fn concerns(m: u32, k: u32) -> bool {
  return true;
}

//: include parts/product.wgsl

@compute @workgroup_size(TX * TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= wanted()) {
    return;
  }
  begin(id, params.h);
  stageTokens(id, lid);
  let first = tileAt(group.x, N);
  var sums: array<vec4f, 4>;
  accumulate(&sums, first, 0u, ROWS, false, false, lid);
  finish(sums, first, lid);
}
