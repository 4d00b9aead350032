// A tile of a matrix product out(m, n) = sum_k left(m, k) right(k, n): 4 TY by 4 TX elements a workgroup, 4 by 4 a thread.
// The including shader says what left, right and store are, and along what neighbouring threads read; what lies outside its
// matrices must come as 0. A tile holds for every four rows (or columns) their values along k, so that a thread finds its own once; the
// next slice travels to registers while the current one is multiplied.
const TX = 8u;
const TY = 8u;
const TK = 8u; // depth of a slice: the larger of TX and TY
const WRITTEN_OUT = true; // the steps of a slice; a loop where compiling costs more than running
const EACH_LEFT = TK / TX; // quads a thread brings
const EACH_RIGHT = TK / TY;
var<workgroup> lefts: array<array<vec4f, TK + 1u>, TY>;
var<workgroup> rights: array<array<vec4f, TK + 1u>, TX>;

// Adds sum_k left(m, k) right(k, n) over k < depth to a thread's elements of the tile at `first` (row, column).
fn accumulate(sums: ptr<function, array<vec4f, 4>>, first: vec2u, depth: u32, lid: u32) {
  let myLefts = &lefts[lid / TX];
  let myRights = &rights[lid % TX];
  var nextLeft: array<vec4f, EACH_LEFT>;
  var nextRight: array<vec4f, EACH_RIGHT>;
  for (var k0 = 0u; k0 < depth + TK; k0 += TK) {
    if (k0 > 0u) {
      let leftTurned = leftAlongK(k0 - TK);
      let rightTurned = rightAlongK(k0 - TK);
      //: unroll
      for (var e = 0u; e < EACH_LEFT; e++) {
        let i = lid + e * TX * TY;
        lefts[select(i % TY, i / TK, leftTurned)][select(i / TY, i % TK, leftTurned)] = nextLeft[e];
      }
      //: unroll
      for (var e = 0u; e < EACH_RIGHT; e++) {
        let i = lid + e * TX * TY;
        rights[select(i % TX, i / TK, rightTurned)][select(i / TX, i % TK, rightTurned)] = nextRight[e];
      }
      workgroupBarrier();
    }
    if (k0 < depth) {
      let leftTurned = leftAlongK(k0);
      let rightTurned = rightAlongK(k0);
      //: unroll
      for (var e = 0u; e < EACH_LEFT; e++) {
        let i = lid + e * TX * TY;
        let k = k0 + select(i / TY, i % TK, leftTurned);
        let m = first.x + 4u * select(i % TY, i / TK, leftTurned);
        nextLeft[e] = vec4f(0.0f);
        if (k < depth) {
          nextLeft[e] = vec4f(left(m, k), left(m + 1u, k), left(m + 2u, k), left(m + 3u, k));
        }
      }
      //: unroll
      for (var e = 0u; e < EACH_RIGHT; e++) {
        let i = lid + e * TX * TY;
        let k = k0 + select(i / TX, i % TK, rightTurned);
        let n = first.y + 4u * select(i % TX, i / TK, rightTurned);
        nextRight[e] = vec4f(0.0f);
        if (k < depth) {
          nextRight[e] = vec4f(right(k, n), right(k, n + 1u), right(k, n + 2u), right(k, n + 3u));
        }
      }
    }
    if (k0 > 0u) {
      //: unroll if WRITTEN_OUT
      for (var k = 0u; k < TK; k++) {
        let a = (*myLefts)[k];
        let b = (*myRights)[k];
        (*sums)[0] = fma(vec4f(a.x), b, (*sums)[0]);
        (*sums)[1] = fma(vec4f(a.y), b, (*sums)[1]);
        (*sums)[2] = fma(vec4f(a.z), b, (*sums)[2]);
        (*sums)[3] = fma(vec4f(a.w), b, (*sums)[3]);
      }
      workgroupBarrier();
    }
  }
}

// Hands a thread's elements of the tile at `first` to store.
fn finish(sums: array<vec4f, 4>, first: vec2u, lid: u32) {
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      store(first.x + 4u * (lid / TX) + i, first.y + 4u * (lid % TX) + j, sums[i][j]);
    }
  }
}

// First row and column of a tile; tiles count row by row.
fn tileAt(tile: u32, columns: u32) -> vec2u {
  let across = (columns + 4u * TX - 1u) / (4u * TX);
  return vec2u(tile / across * 4u * TY, tile % across * 4u * TX);
}

fn product(tile: u32, columns: u32, depth: u32, lid: u32) {
  let first = tileAt(tile, columns);
  var sums: array<vec4f, 4>;
  accumulate(&sums, first, depth, lid);
  finish(sums, first, lid);
}
