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

// Where the first row of a block begins that is k0 deep, counted in UNITs.
fn startOf(block: u32, k0: u32, m0: u32, n0: u32, baseA: u32, baseB: u32) -> u32 {
  if (block < BLOCKS_A) {
    if (TA) {
      let m = m0 + block % (BM / 4u) * 4u;
      return (baseA + (k0 + block / (BM / 4u) * 4u) * params.m + select(m, min(m, params.m - 4u), UNIT == 4u)) / UNIT;
    }
    return (baseA + select(min(m0 + block / KG * 4u, params.m - 1u), m0 + block / KG * 4u, EVEN) * params.k + k0 + block % KG * 4u) / UNIT;
  }
  let rest = block - BLOCKS_A;
  if (TB) {
    return (baseB + min(n0 + rest / KG * 4u, params.n - 1u) * params.k + k0 + rest % KG * 4u) / UNIT;
  }
  let n = n0 + rest % (BN / 4u) * 4u;
  return (baseB + (k0 + rest / (BN / 4u) * 4u) * params.n + select(n, min(n, params.n - 4u), UNIT == 4u && !EVEN)) / UNIT;
}

// From a block of a slice to that of the next.
fn stepOf(block: u32) -> u32 {
  let along = select(select(params.n, 1u, TB), select(1u, params.m, TA), block < BLOCKS_A);
  return BK / UNIT * along;
}

// Of a block's rows after the first, how many there are: those past the last are the last again.
fn more(first: u32, rows: u32) -> u32 {
  return rows - 1u - min(first, rows - 1u);
}

fn bring(block: u32, start: u32, k0: u32, kEnd: u32, m0: u32, n0: u32) -> array<vec4f, 4> {
  var rows: array<vec4f, 4>;
  if (block < BLOCKS_A) {
    if (TA) {
      let k = k0 + block / (BM / 4u) * 4u;
      let remaining = params.m - min(m0 + block % (BM / 4u) * 4u, params.m);
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadA(start + i * (params.m / UNIT), k + i < kEnd, remaining);
      }
    } else {
      let remaining = kEnd - min(k0 + block % KG * 4u, kEnd);
      let most = more(m0 + block / KG * 4u, params.m);
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadA(start + select(min(i, most), i, EVEN) * (params.k / UNIT), remaining > 0u, remaining);
      }
      rows = transposed(rows);
    }
  } else if (BLOCKS % WG == 0u || block < BLOCKS) {
    let rest = block - BLOCKS_A;
    if (TB) {
      let remaining = kEnd - min(k0 + rest % KG * 4u, kEnd);
      let most = more(n0 + rest / KG * 4u, params.n);
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadB(start + min(i, most) * (params.k / UNIT), remaining > 0u, remaining);
      }
      rows = transposed(rows);
    } else {
      let k = k0 + rest / (BN / 4u) * 4u;
      let remaining = params.n - min(n0 + rest % (BN / 4u) * 4u, params.n);
      //: unroll if WRITTEN_OUT
      for (var i = 0u; i < 4u; i++) {
        rows[i] = loadB(start + i * (params.n / UNIT), k + i < kEnd, remaining);
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
