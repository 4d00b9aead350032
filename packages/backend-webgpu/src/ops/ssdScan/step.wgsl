// One token of Mamba-2: LANES threads a channel; the state is changed in place. Each makes the head's decay and weight for itself
// (`apart`), or finds them made by coefficients.wgsl, where a device binds too few buffers for that.
//: variant OPERANDS = apart | made
struct Params { rows: u32, h: u32, g: u32, p: u32, n: u32, dtMin: f32, dtMax: f32 } // rows = b h p
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>; // [b, h, p]
@group(0) @binding(3) var<storage, read> B: array<f32>; // [b, g, n]
@group(0) @binding(4) var<storage, read> C: array<f32>; // [b, g, n]
@group(0) @binding(5) var<storage, read> D: array<f32>; //: optional // [h] or [h, p]
@group(0) @binding(6) var<storage, read> z: array<f32>; //: if HAS_Z // [b, h, p]
@group(0) @binding(7) var<storage, read_write> state: array<f32>; // [b, h, p, n]
@group(0) @binding(8) var<storage, read_write> y: array<f32>; // [b, h, p]
const SKIP = 0u; // 1: D [h], 2: D [h, p]
const HAS_Z = false;
const LANES = 16u;
const WG = 64u;
var<workgroup> parts: array<f32, WG>;

//: include ../shared/math.wgsl
//: include parts/step/$OPERANDS.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let head = row / params.p % params.h;
  var sum = 0.0f;
  if (row < params.rows) {
    let c = coefficientsOf(row / params.p, head);
    let decay = expAccurate(c.x);
    let input = c.y * x[row];
    let bc = (row / (params.p * params.h) * params.g + head * params.g / params.h) * params.n;
    for (var n = lid % LANES; n < params.n; n += LANES) {
      let next = decay * state[row * params.n + n] + input * B[bc + n];
      state[row * params.n + n] = next;
      sum = fma(next, C[bc + n], sum);
    }
  }
  parts[lid] = sum;
  workgroupBarrier();
  if (lid % LANES == 0u && row < params.rows) {
    for (var i = 1u; i < LANES; i++) {
      sum += parts[lid + i];
    }
    if (SKIP > 0u) {
      sum += D[select(head, row % (params.p * params.h), SKIP == 2u)] * x[row];
    }
    if (HAS_Z) {
      sum *= silu(z[row]);
    }
    y[row] = sum;
  }
}
