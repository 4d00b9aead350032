// y = (decay w * (q k^T)) v + fromStart q state^T, from the chunk and from before it; then the skip and the gate.
// MODE 1: without what a token's own rows give, without skip and gate. MODE 2: the same backwards, without the weight w:
// what every value gets through later tokens, (decay * (q k^T))^T dout + toEnd k dstate^T.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> keys: array<f32>; // q (MODE 2: k) [b, l, g, r, n]
@group(0) @binding(2) var<storage, read> values: array<f32>; // v (MODE 2: dout) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> scores: array<f32>; // q k^T [b, chunks, g, ROWS, ROWS]
@group(0) @binding(4) var<storage, read> decays: array<vec4f>;
@group(0) @binding(5) var<storage, read> states: array<f32>; // before each chunk (MODE 2: adjoint after it) [b, chunks, h, p, n]
@group(0) @binding(6) var<storage, read> D: array<f32>; // [h] or [h, p]
@group(0) @binding(7) var<storage, read> z: array<f32>; // [b, l, h, r, p]
@group(0) @binding(8) var<storage, read_write> y: array<f32>; // [b, l, h, r, p]
const MODE = 0u;
const HAS_STATES = true;
const SKIP = 0u; // 1: D [h], 2: D [h, p]
const HAS_Z = false;
//: include parts/decays.wgsl

fn keyGroup() -> u32 {
  return own.z * params.g / params.h;
}
fn left(m: u32, k: u32) -> f32 {
  if (!inside(m)) {
    return 0.0f;
  }
  let mine = tokenAt(block * Q + m / R);
  if (k >= ROWS) {
    return select(mine.fromStart, mine.toEnd, MODE == 2u) * keys[rowAt(m, params.g, keyGroup()) * N + k - ROWS];
  }
  let scoresAt = (block / params.h * params.g + keyGroup()) * ROWS * ROWS;
  if (k / R == m / R) {
    return select(0.0f, mine.ownWeight * scores[scoresAt + m * ROWS + k], MODE == 0u);
  }
  let other = tokenAt(block * Q + k / R);
  if (MODE == 2u) {
    return select(0.0f, decayBetween(other, mine) * scores[scoresAt + k * ROWS + m], k > m);
  }
  return select(0.0f, decayBetween(mine, other) * other.weight * scores[scoresAt + m * ROWS + k], k < m);
}
fn right(k: u32, n: u32) -> f32 {
  if (n >= P) {
    return 0.0f;
  }
  if (k >= ROWS) {
    return states[(block * P + n) * N + k - ROWS];
  }
  return select(0.0f, values[rowAt(k, params.h, own.z) * P + n], inside(k));
}
fn store(m: u32, n: u32, value: f32) {
  if (!inside(m) || n >= P) {
    return;
  }
  let at = rowAt(m, params.h, own.z) * P + n;
  var out = value;
  if (SKIP > 0u) {
    out = fma(D[select(own.z, own.z * P + n, SKIP == 2u)], values[at], out);
  }
  if (HAS_Z) {
    out *= silu(z[at]);
  }
  y[at] = out;
}

//: include parts/product.wgsl

@compute @workgroup_size(TX * TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  product(group.x, P, ROWS + select(0u, N, HAS_STATES), lid);
}
