// y = (decay w * (q k^T)) v + fromStart q state^T, from the chunk and from before it; then the skip and the gate.
// BACKWARDS: what every value gets through later tokens, without the weight w: (decay * (q k^T))^T dout + toEnd k dstate^T.
// FROM_CHUNK, FROM_STATES: the two terms; OWN: with what a token's own rows give.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> keys: array<f32>; // q (BACKWARDS: k) [b, l, g, r, n]
@group(0) @binding(2) var<storage, read> values: array<f32>; // v (BACKWARDS: dout) [b, l, h, r, p]
@group(0) @binding(3) var<storage, read> scores: array<f32>; // q k^T [b, chunks, g, ROWS, ROWS]
@group(0) @binding(4) var<storage, read> decays: array<vec4f>;
@group(0) @binding(5) var<storage, read> states: array<f32>; //: optional // before each chunk (BACKWARDS: adjoints after it) [b, chunks, h, p, n]
@group(0) @binding(6) var<storage, read> D: array<f32>; //: optional // [h] or [h, p]
@group(0) @binding(7) var<storage, read> z: array<f32>; //: if HAS_Z // [b, l, h, r, p]
@group(0) @binding(8) var<storage, read_write> y: array<f32>; // [b, l, h, r, p]
const BACKWARDS = false;
const FROM_CHUNK = true;
const FROM_STATES = true;
const OWN = true;
const SKIP = 0u; // 1: D [h], 2: D [h, p]
const HAS_Z = false;
//: include parts/decays.wgsl
//: include parts/tokens.wgsl

fn keyGroup() -> u32 {
  return own.z * params.g / params.h;
}
fn left(m: u32, depth: u32) -> f32 {
  if (!inside(m)) {
    return 0.0f;
  }
  let k = depth + select(ROWS, 0u, FROM_CHUNK);
  let mine = stagedToken(m / R);
  if (k >= ROWS) {
    return select(mine.fromStart, mine.toEnd, BACKWARDS) * keys[rowAt(m, params.g, keyGroup()) * N + k - ROWS];
  }
  let scoresAt = (block / params.h * params.g + keyGroup()) * ROWS * ROWS;
  if (k / R == m / R) {
    return select(0.0f, mine.ownWeight * scores[scoresAt + m * ROWS + k], OWN);
  }
  let other = stagedToken(k / R);
  if (BACKWARDS) {
    return select(0.0f, decayBetween(other, mine) * scores[scoresAt + k * ROWS + m], k > m);
  }
  return select(0.0f, decayBetween(mine, other) * other.weight * scores[scoresAt + m * ROWS + k], k < m);
}
fn right(depth: u32, n: u32) -> f32 {
  if (n >= P) {
    return 0.0f;
  }
  let k = depth + select(ROWS, 0u, FROM_CHUNK);
  if (k >= ROWS) {
    return states[(block * P + n) * N + k - ROWS];
  }
  return select(0.0f, values[rowAt(k, params.h, own.z) * P + n], inside(k));
}
fn fromChunk(k0: u32) -> bool {
  return FROM_CHUNK && k0 < ROWS;
}
fn leftAlongK(k0: u32) -> bool {
  return !(BACKWARDS && fromChunk(k0));
}
fn rightAlongK(k0: u32) -> bool {
  return !fromChunk(k0);
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
  stageTokens(id, lid);
  product(group.x, P, select(0u, ROWS, FROM_CHUNK) + select(0u, N, FROM_STATES), lid);
}
