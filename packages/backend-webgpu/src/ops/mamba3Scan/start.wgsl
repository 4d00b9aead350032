// The state that the first token decays: initialState + (1 - lambda_0) dt_0 sum_j v_j k_j^T of the token before it.
struct Params { count: u32, l: u32, h: u32, r: u32, p: u32, n: u32 } // count = b h p n
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> initial: array<f32>; //: if HAS_STATE // [b, h, p, n]
@group(0) @binding(2) var<storage, read> k: array<f32>; //: if HAS_TOKEN // [b, h, r, n]
@group(0) @binding(3) var<storage, read> v: array<f32>; //: optional // [b, h, r, p]
@group(0) @binding(4) var<storage, read> dt: array<f32>; // [b, l, h]
@group(0) @binding(5) var<storage, read> trap: array<f32>; // [b, l, h]
@group(0) @binding(6) var<storage, read_write> out: array<f32>; // [b, h, p, n]
override HAS_STATE = false;
override HAS_TOKEN = false;

//: include ../shared/math.wgsl

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.count) {
    return;
  }
  let row = i / (params.n * params.p);
  var state = 0.0f;
  if (HAS_STATE) {
    state = initial[i];
  }
  if (HAS_TOKEN) {
    let first = row / params.h * params.l * params.h + row % params.h;
    var sum = 0.0f;
    for (var j = 0u; j < params.r; j++) {
      sum = fma(v[(row * params.r + j) * params.p + i / params.n % params.p], k[(row * params.r + j) * params.n + i % params.n], sum);
    }
    state += sigmoid(-trap[first]) * dt[first] * sum;
  }
  out[i] = state;
}
