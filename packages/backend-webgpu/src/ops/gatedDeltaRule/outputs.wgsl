// y = attention E + G q S, from the chunk and from the state before it.
//: variant WIDTHS = vector | scalar
//: include ../ssdScan/parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(5) var<storage, read> decays: array<vec4f>;
@group(0) @binding(6) var<storage, read> factors: array<f32>; // [b, l, h], of q
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [b, l, h, p]
//: include ../ssdScan/parts/decays.wgsl
//: include ../ssdScan/parts/tokens.wgsl
//: include parts/outputs/$WIDTHS.wgsl

fn readingOf(m: u32) -> f32 {
  return stagedToken(m).fromStart * factors[rowAt(m, params.h, own.z)];
}

fn store(m: u32, n: u32, value: f32) {
  if (inside(m) && n < P) {
    y[rowAt(m, params.h, own.z) * P + n] = value;
  }
}

const MASKED = true;
fn reaches(m: u32, k0: u32) -> bool {
  return k0 >= Q || k0 <= m + 3u;
}
fn concerns(m: u32, k: u32) -> bool {
  if (k >= Q) {
    return ofStates(m, false);
  }
  return k <= m && sameSequence(m, k);
}
//: include ../ssdScan/parts/product.wgsl

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
  // The depth counts the tokens of the chunk, then the rows of the state.
  //: unroll if WRITTEN_OUT
  for (var part = 0u; part < 2u; part++) {
    accumulate(&sums, first, part * Q, Q + part * N, true, false, lid);
  }
  finish(sums, first, lid);
}
