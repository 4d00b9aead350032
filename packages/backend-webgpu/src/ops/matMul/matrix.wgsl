// C = op(A) op(B) (+ bias) on the matrix units, of operands that halves.wgsl made, or of a weight stored as half floats, sums in f32. A workgroup makes a tile of BM by BN, a
// subgroup WM by WN of it. The next slices travel to registers while the current ones are multiplied. The tiles lie in blocks of 16 rows
// of their own, so that a matrix is loaded at a constant place in one, which nothing needs to check.
// Two parts of both: hi hi + hi lo + lo hi.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
const BM = 128u;
const BN = 128u;
const BK = 64u;
const WM = 32u;
const WN = 64u;
const PARTS = 1u; // of A
const PARTS_B = 1u;
const SCALED_B = true; // false where B is stored as half floats: its rows are not padded then
override HAS_BIAS = false;

struct Params {
  m: u32, n: u32, words: u32, // words: vec4u a padded row of A and B, eight half floats each
  stepA: u32, stepB: u32, // vec4u from one matrix of the batch to the next, 0 to repeat it
  restA: u32, restB: u32, // vec4u from the first parts to the second
  split: u32, splits: u32, // words of a part of k; parts lie along the grid's z, inside the batch
  stripsA: u32, stripsB: u32, // strips of 32 rows, from one matrix of the batch to the next, 0 to repeat it
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> A: array<vec4u>; // [PARTS, batch, padded m, words]
@group(0) @binding(2) var<storage, read> B: array<vec4u>; //: packed // [PARTS_B, batch, padded n, words]
@group(0) @binding(3) var<storage, read> scalesA: array<f32>; // [batch, padded m / 32]
@group(0) @binding(4) var<storage, read> scalesB: array<f32>; //: if SCALED_B // [batch, padded n / 32]
@group(0) @binding(5) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [n]
@group(0) @binding(6) var<storage, read_write> C: array<f32>; // [batch splits, m, n]

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
const ACROSS = BN / WN;
const WG = BM / WM * ACROSS * 32u;
const FM = WM / 16u;
const FN = WN / 16u;
const KW = BK / 8u; // words of a slice
const PITCH = KW + 1u; // one more spreads the rows over the banks
const EACH_A = BM * KW / WG; // words a thread brings
const EACH_B = BN * KW / WG;
var<workgroup> tileA: array<array<vec4u, 16u * PITCH>, PARTS * BM / 16u>;
var<workgroup> tileB: array<array<vec4u, 16u * PITCH>, PARTS_B * BN / 16u>;

//: include parts/words.wgsl

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32,
  @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) lane: u32,
) {
  let m0 = group.y * BM;
  let n0 = group.x * BN;
  let blockA = subgroup / ACROSS * FM;
  let blockB = subgroup % ACROSS * FN;
  let batch = group.z / params.splits;
  let begin = group.z % params.splits * params.split;
  let end = min(begin + params.split, params.words);
  let fromA = batch * params.stepA + m0 * params.words;
  let fromB = batch * params.stepB;
  var sums: array<Sum, FM * FN>;
  var nextA = bringA(lid, fromA + begin);
  var nextB = bringB(lid, fromB + begin, n0);
  for (var k = begin; k < end; k += KW) {
    //: unroll
    for (var p = 0u; p < PARTS * EACH_A; p++) {
      let at = lid + p % EACH_A * WG;
      tileA[p / EACH_A * (BM / 16u) + at / (16u * KW)][at / KW % 16u * PITCH + at % KW] = nextA[p];
    }
    //: unroll
    for (var p = 0u; p < PARTS_B * EACH_B; p++) {
      let at = lid + p % EACH_B * WG;
      tileB[p / EACH_B * (BN / 16u) + at / (16u * KW)][at / KW % 16u * PITCH + at % KW] = nextB[p];
    }
    workgroupBarrier();
    if (k + KW < end) {
      nextA = bringA(lid, fromA + k + KW);
      nextB = bringB(lid, fromB + k + KW, n0);
    }
    //: unroll
    for (var d = 0u; d < BK / 16u; d++) {
      var left: array<Left, PARTS * FM>;
      var right: array<Right, PARTS_B * FN>;
      //: unroll
      for (var i = 0u; i < PARTS * FM; i++) {
        left[i] = subgroupMatrixLoad<Left, row_major>(&tileA[i / FM * (BM / 16u) + blockA + i % FM], 2u * d, PITCH);
      }
      //: unroll
      for (var j = 0u; j < PARTS_B * FN; j++) {
        right[j] = subgroupMatrixLoad<Right, col_major>(&tileB[j / FN * (BN / 16u) + blockB + j % FN], 2u * d, PITCH);
      }
      //: unroll
      for (var i = 0u; i < FM; i++) {
        //: unroll
        for (var j = 0u; j < FN; j++) {
          var sum = sums[i * FN + j];
          if (PARTS_B == 2u) {
            sum = subgroupMatrixMultiplyAccumulate(left[i], right[(PARTS_B - 1u) * FN + j], sum);
          }
          if (PARTS == 2u) {
            sum = subgroupMatrixMultiplyAccumulate(left[(PARTS - 1u) * FM + i], right[j], sum);
          }
          sums[i * FN + j] = subgroupMatrixMultiplyAccumulate(left[i], right[j], sum);
        }
      }
    }
    workgroupBarrier();
  }

  let inside = m0 + BM <= params.m && n0 + BN <= params.n && params.n % 4u == 0u && !HAS_BIAS;
  //: unroll
  for (var i = 0u; i < FM; i++) {
    //: unroll
    for (var j = 0u; j < FN; j++) {
      let m = m0 + (blockA + i) * 16u;
      let n = n0 + (blockB + j) * 16u;
      var scaled = subgroupMatrixScalarMultiply(sums[i * FN + j], scalesA[batch * params.stripsA + m / 32u]);
      if (SCALED_B) {
        scaled = subgroupMatrixScalarMultiply(scaled, scalesB[batch * params.stripsB + n / 32u]);
      }
      if (inside) {
        subgroupMatrixStore<row_major>(&C, (group.z * params.m + m) * params.n + n, scaled, params.n);
      } else {
        // Through workgroup memory, since a matrix has no elements of its own.
        subgroupMatrixStore<row_major>(&tileA[subgroup], 0u, scaled, 4u);
        workgroupBarrier();
        for (var e = lane; e < 256u; e += 32u) {
          let column = n + e % 16u;
          if (m + e / 16u < params.m && column < params.n) {
            let value = bitcast<f32>(tileA[subgroup][e / 4u][e % 4u]);
            C[(group.z * params.m + m + e / 16u) * params.n + column] = value + select(0.0f, bias[column], HAS_BIAS);
          }
        }
        workgroupBarrier();
      }
    }
  }
}
