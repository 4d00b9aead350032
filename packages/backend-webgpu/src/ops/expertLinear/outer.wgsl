// Gradients of the experts' matrices: of each the sum over its choices of dy x^T, in order.
const BM = 32u; // rows (of n) of a tile
const BN = 64u; // its columns (of k)
const BK = 32u; // choices at a time
const WG = 128u; // threads, 16 by 8, each 4 by 4 elements

struct Params { n: u32, k: u32, s: u32 } // s choices share a row of x
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [count, n]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [count / s, k]
@group(0) @binding(3) var<storage, read> starts: array<u32>; // [experts + 1]
@group(0) @binding(4) var<storage, read> order: array<u32>; // [count]
@group(0) @binding(5) var<storage, read_write> dW: array<f32>; // [experts, n, k]
var<workgroup> tileA: array<f32, BK * BM>; // [choice][row]
var<workgroup> tileB: array<f32, BK * BN>; // [choice][column]
var<workgroup> choices: vec2u; // begin, until

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let expert = group.z;
  if (lid == 0u) {
    choices = vec2u(starts[expert], starts[expert + 1u]);
  }
  workgroupBarrier();
  let span = workgroupUniformLoad(&choices);
  let row0 = group.y * BM;
  let column0 = group.x * BN;
  let tx = lid % 16u;
  let ty = lid / 16u;
  var sum: array<vec4f, 4>;
  for (var begin = span.x; begin < span.y; begin += BK) {
    for (var i = lid; i < BK * BM; i += WG) {
      let choice = begin + i / BM;
      let row = row0 + i % BM;
      var value = 0.0f;
      if (choice < span.y && row < params.n) {
        value = dy[order[choice] * params.n + row];
      }
      tileA[i] = value;
    }
    for (var i = lid; i < BK * BN; i += WG) {
      let choice = begin + i / BN;
      let column = column0 + i % BN;
      var value = 0.0f;
      if (choice < span.y && column < params.k) {
        value = x[order[choice] / params.s * params.k + column];
      }
      tileB[i] = value;
    }
    workgroupBarrier();
    for (var c = 0u; c < BK; c++) {
      let at = c * BN + 4u * tx;
      let b = vec4f(tileB[at], tileB[at + 1u], tileB[at + 2u], tileB[at + 3u]);
      for (var i = 0u; i < 4u; i++) {
        sum[i] = fma(vec4f(tileA[c * BM + 4u * ty + i]), b, sum[i]);
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let row = row0 + 4u * ty + i;
    for (var j = 0u; j < 4u; j++) {
      let column = column0 + 4u * tx + j;
      if (row < params.n && column < params.k) {
        dW[(expert * params.n + row) * params.k + column] = sum[i][j];
      }
    }
  }
}
