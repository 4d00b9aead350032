// A tile of a matrix product out(m, n) = sum_k left(m, k) right(k, n): 4 TY by 4 TX elements a workgroup, 4 by 4 a thread.
// The including shader says what left and right are, four values at once, along k (at k, k + 1, ..) or across it (at m, m + 1, .. or
// n, n + 1, ..), and what store is. What lies outside must come as 0. A tile holds blocks of 4 by 4 as they were read, which a thread turns where it
// needs to (a matter of names of registers); the next slice travels to registers while the current one is multiplied.
// Of a row k that does not concern row m left is 0, but 0 times what is no number is none: where MASKED, slices with such right values
// are added only to the rows that they concern.
// reaches tells whether any of rows m to m + 3 has anything at depths k0 to k0 + TK - 1: a thread passes over what is 0.
const TX = 8u;
const TY = 8u;
const TK = 8u; // depth of a slice: the larger of TX and TY
const WRITTEN_OUT = true; // the steps of a slice; a loop where compiling costs more than running
const QUADS = TK / 4u; // along k
const EACH_LEFT = TK / TX; // quads a thread brings
const EACH_RIGHT = TK / TY;
var<workgroup> strange: atomic<u32>; // the last slice whose right values are not all finite
var<workgroup> lefts: array<array<vec4f, TK + 1u>, TY>;
var<workgroup> rights: array<array<vec4f, TK + 1u>, TX>;

// Adds sum_k left(m, k) right(k, n) over begin <= k < end to a thread's elements of the tile at `first` (row, column).
// Turned: read along k.
fn accumulate(
  sums: ptr<function, array<vec4f, 4>>, first: vec2u, begin: u32, end: u32, leftTurned: bool, rightTurned: bool, lid: u32,
) {
  let myLefts = &lefts[lid / TX];
  let myRights = &rights[lid % TX];
  var nextLeft: array<vec4f, EACH_LEFT>;
  var nextRight: array<vec4f, EACH_RIGHT>;
  for (var k0 = begin; k0 < end + TK; k0 += TK) {
    if (k0 > begin) {
      //: unroll if WRITTEN_OUT
      for (var e = 0u; e < EACH_LEFT; e++) {
        let i = lid + e * TX * TY;
        lefts[select(i % TY, i / TK, leftTurned)][select(i / TY, i % QUADS * 4u + i / QUADS % 4u, leftTurned)] = nextLeft[e];
      }
      //: unroll if WRITTEN_OUT
      for (var e = 0u; e < EACH_RIGHT; e++) {
        let i = lid + e * TX * TY;
        rights[select(i % TX, i / TK, rightTurned)][select(i / TX, i % QUADS * 4u + i / QUADS % 4u, rightTurned)] = nextRight[e];
        if (MASKED && !allFinite(nextRight[e])) {
          atomicStore(&strange, k0);
        }
      }
      workgroupBarrier();
    }
    if (k0 < end) {
      //: unroll if WRITTEN_OUT
      for (var e = 0u; e < EACH_LEFT; e++) {
        let i = lid + e * TX * TY;
        let k = k0 + select(i / TY, i % QUADS * 4u, leftTurned);
        nextLeft[e] = vec4f(0.0f);
        if (leftTurned && k < end) {
          nextLeft[e] = leftAlong(first.x + i / QUADS, k, end);
        } else if (k < end) {
          nextLeft[e] = leftAcross(first.x + i % TY * 4u, k);
        }
      }
      //: unroll if WRITTEN_OUT
      for (var e = 0u; e < EACH_RIGHT; e++) {
        let i = lid + e * TX * TY;
        let k = k0 + select(i / TX, i % QUADS * 4u, rightTurned);
        nextRight[e] = vec4f(0.0f);
        if (rightTurned && k < end) {
          nextRight[e] = rightAlong(k, first.y + i / QUADS, end);
        } else if (k < end) {
          nextRight[e] = rightAcross(k, first.y + i % TX * 4u);
        }
      }
    }
    let careful = MASKED && k0 > begin && atomicLoad(&strange) == k0;
    if (careful) {
      addConcerned(sums, first.x + lid / TX * 4u, k0 - TK, leftTurned, rightTurned, lid);
    }
    if (k0 > begin && !careful && reaches(first.x + lid / TX * 4u, k0 - TK)) {
      //: unroll if WRITTEN_OUT
      for (var k = 0u; k < QUADS; k++) {
        var a = array((*myLefts)[4u * k], (*myLefts)[4u * k + 1u], (*myLefts)[4u * k + 2u], (*myLefts)[4u * k + 3u]);
        var b = array((*myRights)[4u * k], (*myRights)[4u * k + 1u], (*myRights)[4u * k + 2u], (*myRights)[4u * k + 3u]);
        if (leftTurned) {
          a = turned(a);
        }
        if (rightTurned) {
          b = turned(b);
        }
        //: unroll if WRITTEN_OUT
        for (var j = 0u; j < 4u; j++) {
          (*sums)[0] = fma(vec4f(a[j].x), b[j], (*sums)[0]);
          (*sums)[1] = fma(vec4f(a[j].y), b[j], (*sums)[1]);
          (*sums)[2] = fma(vec4f(a[j].z), b[j], (*sums)[2]);
          (*sums)[3] = fma(vec4f(a[j].w), b[j], (*sums)[3]);
        }
      }
    }
    if (k0 > begin) {
      workgroupBarrier();
    }
  }
}

// Adds the slice from k0 on to rows m .. m + 3, of each the rows that concern it.
fn addConcerned(sums: ptr<function, array<vec4f, 4>>, m: u32, k0: u32, leftTurned: bool, rightTurned: bool, lid: u32) {
  for (var k = 0u; k < TK; k++) {
    let quad = k / 4u * 4u;
    var a = lefts[lid / TX][k];
    if (leftTurned) {
      a = vec4f(lefts[lid / TX][quad][k % 4u], lefts[lid / TX][quad + 1u][k % 4u], lefts[lid / TX][quad + 2u][k % 4u], lefts[lid / TX][quad + 3u][k % 4u]);
    }
    var b = rights[lid % TX][k];
    if (rightTurned) {
      b = vec4f(rights[lid % TX][quad][k % 4u], rights[lid % TX][quad + 1u][k % 4u], rights[lid % TX][quad + 2u][k % 4u], rights[lid % TX][quad + 3u][k % 4u]);
    }
    (*sums)[0] = select((*sums)[0], fma(vec4f(a.x), b, (*sums)[0]), concerns(m, k0 + k));
    (*sums)[1] = select((*sums)[1], fma(vec4f(a.y), b, (*sums)[1]), concerns(m + 1u, k0 + k));
    (*sums)[2] = select((*sums)[2], fma(vec4f(a.z), b, (*sums)[2]), concerns(m + 2u, k0 + k));
    (*sums)[3] = select((*sums)[3], fma(vec4f(a.w), b, (*sums)[3]), concerns(m + 3u, k0 + k));
  }
}

// By their bits, see isNan in math.wgsl.
fn allFinite(x: vec4f) -> bool {
  return all((bitcast<vec4u>(x) & vec4u(0x7f800000u)) != vec4u(0x7f800000u));
}

fn turned(block: array<vec4f, 4>) -> array<vec4f, 4> {
  return array(
    vec4f(block[0].x, block[1].x, block[2].x, block[3].x),
    vec4f(block[0].y, block[1].y, block[2].y, block[3].y),
    vec4f(block[0].z, block[1].z, block[2].z, block[3].z),
    vec4f(block[0].w, block[1].w, block[2].w, block[3].w),
  );
}

// Hands a thread's elements of the tile at `first` to store.
fn finish(sums: array<vec4f, 4>, first: vec2u, lid: u32) {
  //: unroll if WRITTEN_OUT
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
