// Gathers the small operands of a scan into one buffer, so that the scan itself stays within 8 storage buffers:
// [ A log2(e) | D | deltaBias | restart flags | B and C by position ], states padded with zeros from n to N.
struct Params {
  dN: u32, d: u32, bl: u32, gN: u32, // d N, d, b l, g N
  offD: u32, offBias: u32, offRestart: u32, offBC: u32,
  l: u32, n: u32, N: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> A: array<f32>; // [d, n]
@group(0) @binding(2) var<storage, read> B: array<f32>; // [b, l, g, n]
@group(0) @binding(3) var<storage, read> C: array<f32>; // [b, l, g, n]
@group(0) @binding(4) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(5) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(6) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(7) var<storage, read_write> packed: array<f32>;
override HAS_D = false;
override HAS_BIAS = false;
override HAS_SEQ = false;

// The grid covers the largest section; each thread does its element of every section.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lane;
  let state = i % params.N;
  let row = i / params.N;
  let at = row * params.n + min(state, params.n - 1u);
  let alive = state < params.n;
  if (i < params.dN) {
    packed[i] = select(0.0f, A[at] * 1.4426950408889634f, alive);
  }
  if (i < params.d) {
    packed[params.offD + i] = select(0.0f, D[i * u32(HAS_D)], HAS_D);
    packed[params.offBias + i] = select(0.0f, deltaBias[i * u32(HAS_BIAS)], HAS_BIAS);
  }
  if (HAS_SEQ && i < params.bl) {
    let restarts = i % params.l != 0u && seqIdx[i] != seqIdx[max(i, 1u) - 1u];
    packed[params.offRestart + i] = select(0.0f, 1.0f, restarts);
  }
  if (i < params.bl * params.gN) {
    // [b l, g, n] twice becomes [b l, g, B then C, N].
    let out = params.offBC + row * 2u * params.N + state;
    packed[out] = select(0.0f, B[at], alive);
    packed[out + params.N] = select(0.0f, C[at], alive);
  }
}
