// C = op(A) op(B) (+ bias) in f32, any of the four transpositions, batched. A workgroup makes a tile of 8 TY by 8 TX,
// a thread 8 by 8 of it in registers, as two by two blocks of 4 by 4 so that its reads of workgroup memory are whole vec4s.
// The next slices of A and B travel to registers while the current ones are multiplied.
//: variant IO = vector | scalar
const TX = 16u;
const TY = 16u;
const BK = 16u; // depth of a slice
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
var<workgroup> tileA: array<vec4f, BK * BM / 4u>; // [k][m / 4]
var<workgroup> tileB: array<vec4f, BK * BN / 4u>; // [k][n / 4]

// Spreads the rows of a block over the banks: four values of k / 4 never meet in one.
fn swizzle(k: u32, column: u32) -> u32 {
  return column ^ (((k / 4u) % 4u) * 2u);
}

// A 4 by 4 block of a slice as four vectors along m (or n), one a step of k.
fn transposed(r: array<vec4f, 4>) -> array<vec4f, 4> {
  return array(
    vec4f(r[0].x, r[1].x, r[2].x, r[3].x),
    vec4f(r[0].y, r[1].y, r[2].y, r[3].y),
    vec4f(r[0].z, r[1].z, r[2].z, r[3].z),
    vec4f(r[0].w, r[1].w, r[2].w, r[3].w),
  );
}

fn bring(block: u32, k0: u32, kEnd: u32, m0: u32, n0: u32, baseA: u32, baseB: u32) -> array<vec4f, 4> {
  var rows: array<vec4f, 4>;
  if (block < BLOCKS_A) {
    if (TA) {
      let k = k0 + block / (BM / 4u) * 4u;
      let m = m0 + block % (BM / 4u) * 4u;
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadA(baseA, k + i, m, params.m, k + i < kEnd, params.m);
      }
    } else {
      let k = k0 + block % KG * 4u;
      let m = m0 + block / KG * 4u;
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadA(baseA, m + i, k, params.k, m + i < params.m, kEnd);
      }
      rows = transposed(rows);
    }
  } else if (BLOCKS % WG == 0u || block < BLOCKS) {
    let rest = block - BLOCKS_A;
    if (TB) {
      let k = k0 + rest % KG * 4u;
      let n = n0 + rest / KG * 4u;
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadB(baseB, n + i, k, params.k, n + i < params.n, kEnd);
      }
      rows = transposed(rows);
    } else {
      let k = k0 + rest / (BN / 4u) * 4u;
      let n = n0 + rest % (BN / 4u) * 4u;
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadB(baseB, k + i, n, params.n, k + i < kEnd, params.n);
      }
    }
  }
  return rows;
}

fn place(block: u32, rows: array<vec4f, 4>) {
  if (block < BLOCKS_A) {
    let k = select(block % KG, block / (BM / 4u), TA) * 4u;
    let m = select(block / KG, block % (BM / 4u), TA);
    for (var i = 0u; i < 4u; i++) {
      tileA[(k + i) * (BM / 4u) + swizzle(k, m)] = rows[i];
    }
  } else if (BLOCKS % WG == 0u || block < BLOCKS) {
    let rest = block - BLOCKS_A;
    let k = select(rest / (BN / 4u), rest % KG, TB) * 4u;
    let n = select(rest % (BN / 4u), rest / KG, TB);
    for (var i = 0u; i < 4u; i++) {
      tileB[(k + i) * (BN / 4u) + swizzle(k, n)] = rows[i];
    }
  }
}

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

  var sum: array<vec4f, 16>; // [8 rows][2 column groups]
  var next: array<array<vec4f, 4>, PER>;
  for (var p = 0u; p < PER; p++) {
    next[p] = bring(lid + p * WG, kBegin, kEnd, m0, n0, baseA, baseB);
  }
  for (var k0 = kBegin; k0 < kEnd; k0 += BK) {
    for (var p = 0u; p < PER; p++) {
      place(lid + p * WG, next[p]);
    }
    workgroupBarrier();
    if (k0 + BK < kEnd) {
      for (var p = 0u; p < PER; p++) {
        next[p] = bring(lid + p * WG, k0 + BK, kEnd, m0, n0, baseA, baseB);
      }
    }
    for (var k = 0u; k < BK; k++) {
      let a0 = tileA[k * (BM / 4u) + swizzle(k, ty)];
      let a1 = tileA[k * (BM / 4u) + swizzle(k, ty + TY)];
      let b0 = tileB[k * (BN / 4u) + swizzle(k, tx)];
      let b1 = tileB[k * (BN / 4u) + swizzle(k, tx + TX)];
      for (var i = 0u; i < 4u; i++) {
        sum[2u * i] = fma(vec4f(a0[i]), b0, sum[2u * i]);
        sum[2u * i + 1u] = fma(vec4f(a0[i]), b1, sum[2u * i + 1u]);
        sum[2u * i + 8u] = fma(vec4f(a1[i]), b0, sum[2u * i + 8u]);
        sum[2u * i + 9u] = fma(vec4f(a1[i]), b1, sum[2u * i + 9u]);
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 8u; i++) {
    let m = m0 + i / 4u * (4u * TY) + ty * 4u + i % 4u;
    for (var j = 0u; j < 2u; j++) {
      let n = n0 + j * (4u * TX) + tx * 4u;
      if (m < params.m && n < params.n) {
        store((group.z * params.m + m) * params.n + n, n, sum[2u * i + j]);
      }
    }
  }
}
