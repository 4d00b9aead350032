// Gradients of k and v of the token before the first, and of the weight they entered the state with; a workgroup a head.
struct Params { rows: u32, l: u32, h: u32, r: u32, p: u32, n: u32 } // rows = b h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dState: array<f32>; // [b, h, p, n]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, h, r, n]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, h, r, p]
@group(0) @binding(4) var<storage, read> dt: array<f32>; // [b, l, h]
@group(0) @binding(5) var<storage, read> trap: array<f32>; // [b, l, h]
@group(0) @binding(6) var<storage, read_write> dK: array<f32>; // [b, h, r, n]
@group(0) @binding(7) var<storage, read_write> dV: array<f32>; // [b, h, r, p]
@group(0) @binding(8) var<storage, read_write> dWeight: array<f32>; // [b, h]
const WG = 64u;
var<workgroup> parts: array<f32, WG>;

//: include ../shared/math.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let first = row / params.h * params.l * params.h + row % params.h;
  let weight = sigmoid(-trap[first]) * dt[first];
  let base = row * params.p * params.n;
  for (var i = lid; i < params.r * params.n; i += WG) {
    var sum = 0.0f;
    for (var c = 0u; c < params.p; c++) {
      sum = fma(v[(row * params.r + i / params.n) * params.p + c], dState[base + c * params.n + i % params.n], sum);
    }
    dK[row * params.r * params.n + i] = weight * sum;
  }
  var total = 0.0f;
  for (var i = lid; i < params.r * params.p; i += WG) {
    var sum = 0.0f;
    for (var m = 0u; m < params.n; m++) {
      sum = fma(k[(row * params.r + i / params.p) * params.n + m], dState[base + i % params.p * params.n + m], sum);
    }
    dV[row * params.r * params.p + i] = weight * sum;
    total = fma(v[row * params.r * params.p + i], sum, total);
  }
  parts[lid] = total;
  workgroupBarrier();
  if (lid == 0u) {
    for (var i = 1u; i < WG; i++) {
      total += parts[i];
    }
    dWeight[row] = total;
  }
}
