// C = op(A) op(B) (+ bias) in f32, any of the four transpositions, batched. A workgroup makes a tile of 8 TY by 8 TX,
// a thread 8 by 8 of it in registers, as two by two blocks of 4 by 4 so that its reads of workgroup memory are whole vec4s.
// The next slices of A and B travel to registers while the current ones are multiplied. A tile holds for every four rows their
// values along k, so that a thread finds its rows once a slice and goes on by constant steps, which nothing clamps. Where a thread's blocks
// begin is found once; rows past the last are the last again, since what they give is not stored.
//: variant IO = vector | scalar | half
const TX = 16u;
const TY = 16u;
const BK = 16u; // depth of a slice
const PITCH = 17u; // vec4s from four rows to the next: one more than BK spreads them over the banks
const WRITTEN_OUT = true; // the steps of a slice; a loop where compiling costs more than running
const GUARDED = true; // false where the parts of k are whole slices
const EVEN = false; // true where all tiles are whole, and neither A nor B is turned: nothing is past the last row or column
const TA = false; // A is stored [k, m]
const TB = false; // B is stored [n, k]
override HAS_BIAS = false;

struct Params {
  m: u32, n: u32, k: u32,
  batchA: u32, batchB: u32, // elements from one matrix to the next, 0 to repeat it
  split: u32, parts: u32, // depth of a part of k; parts lie along the grid's z, inside the batch
}
@group(0) @binding(0) var<uniform> params: Params;

//: include parts/io/$IO.wgsl
const WG = TX * TY;
const BM = 8u * TY;
const BN = 8u * TX;
const KG = BK / 4u;
const BLOCKS_A = BM / 4u * KG;
const BLOCKS = BLOCKS_A + BN / 4u * KG;
const PER = (BLOCKS + WG - 1u) / WG; // 4 by 4 blocks a thread brings
var<workgroup> tileA: array<array<vec4f, PITCH>, 2u * TY>; // [m / 4][k]
var<workgroup> tileB: array<array<vec4f, PITCH>, 2u * TX>; // [n / 4][k]

//: include parts/slice.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let tx = lid % TX;
  let ty = lid / TX;
  let m0 = group.y * BM;
  let n0 = group.x * BN;
  let batch = group.z / params.parts;
  let kBegin = group.z % params.parts * params.split;
  let kEnd = min(kBegin + params.split, params.k);
  let baseA = batch * params.batchA;
  let baseB = batch * params.batchB;

  let rowsA0 = &tileA[ty];
  let rowsA1 = &tileA[ty + TY];
  let rowsB0 = &tileB[tx];
  let rowsB1 = &tileB[tx + TX];
  var sum: array<vec4f, 16>; // [8 rows][2 column groups]
  var starts: array<u32, PER>;
  var next: array<array<vec4f, 4>, PER>;
  //: unroll if WRITTEN_OUT
  for (var p = 0u; p < PER; p++) {
    starts[p] = startOf(lid + p * WG, kBegin, m0, n0, baseA, baseB);
    next[p] = bring(lid + p * WG, starts[p], kBegin, kEnd, m0, n0);
  }
  for (var k0 = kBegin; k0 < kEnd; k0 += BK) {
    //: unroll if WRITTEN_OUT
    for (var p = 0u; p < PER; p++) {
      place(lid + p * WG, next[p]);
    }
    workgroupBarrier();
    if (k0 + BK < kEnd) {
      //: unroll if WRITTEN_OUT
      for (var p = 0u; p < PER; p++) {
        starts[p] += stepOf(lid + p * WG);
        next[p] = bring(lid + p * WG, starts[p], k0 + BK, kEnd, m0, n0);
      }
    }
    //: unroll if WRITTEN_OUT
    for (var k = 0u; k < BK; k++) {
      let a0 = (*rowsA0)[k];
      let a1 = (*rowsA1)[k];
      let b0 = (*rowsB0)[k];
      let b1 = (*rowsB1)[k];
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        sum[2u * i] = fma(vec4f(a0[i]), b0, sum[2u * i]);
        sum[2u * i + 1u] = fma(vec4f(a0[i]), b1, sum[2u * i + 1u]);
        sum[2u * i + 8u] = fma(vec4f(a1[i]), b0, sum[2u * i + 8u]);
        sum[2u * i + 9u] = fma(vec4f(a1[i]), b1, sum[2u * i + 9u]);
      }
    }
    workgroupBarrier();
  }

  //: unroll if WRITTEN_OUT
  for (var i = 0u; i < 8u; i++) {
    let m = m0 + i / 4u * (4u * TY) + ty * 4u + i % 4u;
    //: unroll if WRITTEN_OUT
    for (var j = 0u; j < 2u; j++) {
      let n = n0 + j * (4u * TX) + tx * 4u;
      if (EVEN || (m < params.m && n < params.n)) {
        store((group.z * params.m + m) * params.n + n, n, sum[2u * i + j]);
      }
    }
  }
}
