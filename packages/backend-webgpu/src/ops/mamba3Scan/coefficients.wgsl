// The trapezoid of every token and head: log decay, weight gamma_t + (1 - lambda_{t+1}) dt_{t+1} of what it writes (the next
// token's share included), weight gamma_t for itself, and whether a sequence begins. ALONE (a step): gamma, and (1 - lambda) dt last.
struct Params { count: u32, l: u32, h: u32 } // count = b l h
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> adt: array<f32>; // [b, l, h]
@group(0) @binding(2) var<storage, read> dt: array<f32>; // [b, l, h]
@group(0) @binding(3) var<storage, read> trap: array<f32>; // [b, l, h]
@group(0) @binding(4) var<storage, read> seqIdx: array<i32>; //: if HAS_SEQ // [b, l]
@group(0) @binding(5) var<storage, read_write> coefficients: array<vec4f>; // [b, l, h]
override HAS_SEQ = false;
override ALONE = false;

//: include ../shared/math.wgsl

fn restarts(token: u32) -> bool {
  if (HAS_SEQ && token % params.l != 0u) {
    return seqIdx[token] != seqIdx[token - 1u];
  }
  return false;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 256u + lid;
  if (i >= params.count) {
    return;
  }
  let token = i / params.h;
  let gamma = sigmoid(trap[i]) * dt[i];
  if (ALONE) {
    coefficients[i] = vec4f(adt[i], gamma, gamma, sigmoid(-trap[i]) * dt[i]);
    return;
  }
  var next = 0.0f;
  if (token % params.l + 1u < params.l && !restarts(token + 1u)) {
    next = sigmoid(-trap[i + params.h]) * dt[i + params.h];
  }
  coefficients[i] = vec4f(adt[i], gamma + next, gamma, select(0.0f, 1.0f, restarts(token)));
}
