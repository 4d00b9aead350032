// What a transform back means: TO 0: y [b, l, d] from pairs of rows, with the skip; 1: gradients of filters [d, m] and of the
// skip (that of the first tap); 2: real rows [rows, N]; 3: gradient of half a spectrum [rows, N/2 + 1, 2].
const TO = 0u;
const HAS_D = false;
const ADD = false; // to what TO 1 holds already
struct Params { N: u32, rows: u32, b: u32, l: u32, d: u32, m: u32, firstPair: u32, count: u32 } // count: threads
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>; // [N, rows]
@group(0) @binding(2) var<storage, read> u: array<f32>; //: optional // [b, l, d]
@group(0) @binding(3) var<storage, read> D: array<f32>; //: optional // [d]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> dD: array<f32>; //: optional // [d]
@group(0) @binding(6) var<storage, read> peaks: array<f32>; //: optional // TO 0 with LEVEL: [b, d], largest absolute values
const LEVEL = false; // rows were brought to one level

//: include parts/level.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lid;
  if (i >= params.count) {
    return;
  }
  let scale = 1.0f / f32(params.N);
  if (TO == 0u) {
    let c = i % params.d;
    let t = i / params.d % params.l;
    let local = i / (params.d * params.l);
    let pair = x[t * params.rows + local / 2u * params.d + c];
    let at = i + 2u * params.firstPair * params.l * params.d;
    var value = select(pair.x, pair.y, local % 2u == 1u) * scale;
    if (LEVEL) {
      value *= levelOf(peaks[(local + 2u * params.firstPair) * params.d + c]).y;
    }
    if (HAS_D) {
      value = fma(D[c], u[at], value);
    }
    y[at] = value;
  } else if (TO == 1u) {
    let c = i % params.rows;
    let t = i / params.rows;
    var value = select(0.0f, x[min(t, params.N - 1u) * params.rows + c].x * scale, t < params.l);
    if (ADD) {
      value += y[c * params.m + t];
    }
    y[c * params.m + t] = value;
    if (HAS_D && t == 0u) {
      dD[c] = value;
    }
  } else if (TO == 2u) {
    y[i % params.rows * params.N + i / params.rows] = x[i].x * scale;
  } else {
    let k = i / params.rows;
    let alone = k == 0u || 2u * k == params.N;
    let value = x[i] * scale * select(2.0f, 1.0f, alone);
    let at = 2u * (i % params.rows * (params.N / 2u + 1u) + k);
    y[at] = value.x;
    y[at + 1u] = select(value.y, 0.0f, alone);
  }
}
