// How a thread brings its blocks of the next slice into registers, and places them in the tiles.

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
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadA(baseA, k + i, m, params.m, k + i < kEnd, params.m);
      }
    } else {
      let k = k0 + block % KG * 4u;
      let m = m0 + block / KG * 4u;
      //: unroll if WRITTEN_OUT
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
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadB(baseB, n + i, k, params.k, n + i < params.n, kEnd);
      }
      rows = transposed(rows);
    } else {
      let k = k0 + rest / (BN / 4u) * 4u;
      let n = n0 + rest % (BN / 4u) * 4u;
      //: unroll if WRITTEN_OUT
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
    let quad = &tileA[select(block / KG, block % (BM / 4u), TA)];
    //: unroll if WRITTEN_OUT
    for (var i = 0u; i < 4u; i++) {
      (*quad)[k + i] = rows[i];
    }
  } else if (BLOCKS % WG == 0u || block < BLOCKS) {
    let rest = block - BLOCKS_A;
    let k = select(rest / (BN / 4u), rest % KG, TB) * 4u;
    let quad = &tileB[select(rest % (BN / 4u), rest / KG, TB)];
    //: unroll if WRITTEN_OUT
    for (var i = 0u; i < 4u; i++) {
      (*quad)[k + i] = rows[i];
    }
  }
}
