// The state after one token, in place: alpha (state + (1 - lambda) dt v' k'^T) + gamma v k^T, summed over the ranks.
struct Params { count: u32, r: u32, p: u32, n: u32 } // count = b h p n
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> coefficients: array<vec4f>; // [b, h]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [b, h, r, n]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [b, h, r, p]
@group(0) @binding(4) var<storage, read> lastK: array<f32>; // [b, h, r, n]
@group(0) @binding(5) var<storage, read> lastV: array<f32>; // [b, h, r, p]
@group(0) @binding(6) var<storage, read_write> state: array<f32>; // [b, h, p, n]

//: include ../shared/math.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.count) {
    return;
  }
  let row = i / (params.n * params.p);
  let c = coefficients[row];
  var before = 0.0f;
  var now = 0.0f;
  for (var j = 0u; j < params.r; j++) {
    let keyAt = (row * params.r + j) * params.n + i % params.n;
    let valueAt = (row * params.r + j) * params.p + i / params.n % params.p;
    before = fma(lastV[valueAt], lastK[keyAt], before);
    now = fma(v[valueAt], k[keyAt], now);
  }
  state[i] = expAccurate(c.x) * (state[i] + c.w * before) + c.y * now;
}
