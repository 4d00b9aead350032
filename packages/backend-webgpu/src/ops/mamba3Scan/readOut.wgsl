// y = (state q + D v) silu(z) of one token, LANES threads a channel of a rank; and v is kept for the next token.
struct Params { rows: u32, h: u32, r: u32, p: u32, n: u32 } // rows = b h r p
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<f32>; // [b, h, p, n]
@group(0) @binding(2) var<storage, read> q: array<f32>; // [b, h, r, n]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, h, r, p]
@group(0) @binding(4) var<storage, read> D: array<f32>; //: if HAS_D // [h]
@group(0) @binding(5) var<storage, read> z: array<f32>; //: if HAS_Z // [b, h, r, p]
@group(0) @binding(6) var<storage, read_write> lastV: array<f32>; // [b, h, r, p]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [b, h, r, p]
const HAS_D = false;
const HAS_Z = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<f32, WG>;

//: include ../shared/math.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let rank = row / params.p; // [b, h, r]
  var sum = 0.0f;
  if (row < params.rows) {
    let stateAt = (rank / params.r * params.p + row % params.p) * params.n;
    for (var n = lid % LANES; n < params.n; n += LANES) {
      sum = fma(state[stateAt + n], q[rank * params.n + n], sum);
    }
  }
  parts[lid] = sum;
  workgroupBarrier();
  if (lid % LANES == 0u && row < params.rows) {
    for (var i = 1u; i < LANES; i++) {
      sum += parts[lid + i];
    }
    let value = v[row];
    if (HAS_D) {
      sum += D[rank / params.r % params.h] * value;
    }
    if (HAS_Z) {
      sum *= silu(z[row]);
    }
    y[row] = sum;
    lastV[row] = value;
  }
}
