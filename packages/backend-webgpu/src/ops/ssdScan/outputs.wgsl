// y = (decay w * (q k^T)) v + fromStart q state^T, from the chunk and from before it; then the skip and the gate.
// BACKWARDS: what every value gets through later tokens, without the weight w: (decay * (q k^T))^T dout + toEnd k dstate^T.
// FROM_CHUNK, FROM_STATES: the two terms; OWN: with what a token's own rows give.
//: variant WIDTHS = vector | scalar
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(4) var<storage, read> decays: array<vec4f>;
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
//: include parts/outputs/$WIDTHS.wgsl

fn store(m: u32, n: u32, value: f32) {
  if (!inside(m) || n >= P) {
    return;
  }
  let at = rowAt(m, params.h, own.z) * P + n;
  var out = value;
  if (SKIP > 0u) {
    out = fma(D[select(own.z, own.z * P + n, SKIP == 2u)], valueAt(at), out);
  }
  if (HAS_Z) {
    out *= silu(z[at]);
  }
  y[at] = out;
}

const MASKED = true;
fn reaches(m: u32, k0: u32) -> bool {
  return k0 >= ROWS || select(k0 / R <= (m + 3u) / R, (k0 + TK - 1u) / R >= m / R, BACKWARDS);
}
fn concerns(m: u32, k: u32) -> bool {
  if (k >= ROWS) {
    return ofStates(m, BACKWARDS);
  }
  return (OWN && m / R == k / R) || (m / R != k / R && sameSequence(m, k) && (k > m) == BACKWARDS);
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
  let first = tileAt(group.x, P);
  var sums: array<vec4f, 4>;
  // The depth counts the rows of the chunk, then those of the states.
  //: unroll if WRITTEN_OUT
  for (var part = 0u; part < 2u; part++) {
    if (select(FROM_CHUNK, FROM_STATES, part == 1u)) {
      accumulate(&sums, first, part * ROWS, ROWS + part * N, !BACKWARDS || part == 1u, part == 1u, lid);
    }
  }
  finish(sums, first, lid);
}
