// A tile of a matrix product out(m, n) = sum_k left(m, k) right(k, n): 4 TY by 4 TX elements a workgroup, 4 by 4 a thread.
// The including shader says what left, right and store are; what lies outside its matrices must come as 0.
const TX = 8u;
const TY = 8u;
const TK = 16u;
const LEFT_ALONG_K = true; // neighbouring threads read along k, else along m
var<workgroup> lefts: array<vec4f, TK * (TY + 1u)>;
var<workgroup> rights: array<vec4f, TK * (TX + 1u)>;

// `tile` counts tiles row by row.
fn product(tile: u32, columns: u32, depth: u32, lid: u32) {
  let across = (columns + 4u * TX - 1u) / (4u * TX);
  let m0 = tile / across * 4u * TY;
  let n0 = tile % across * 4u * TX;
  let row = lid / TX;
  let column = lid % TX;
  var sums: array<vec4f, 4>;
  for (var k0 = 0u; k0 < depth; k0 += TK) {
    for (var i = lid; i < TK * TY; i += TX * TY) {
      let k = select(i / TY, i % TK, LEFT_ALONG_K);
      let quad = select(i % TY, i / TK, LEFT_ALONG_K);
      let m = m0 + 4u * quad;
      var four = vec4f(0.0f);
      if (k0 + k < depth) {
        four = vec4f(left(m, k0 + k), left(m + 1u, k0 + k), left(m + 2u, k0 + k), left(m + 3u, k0 + k));
      }
      lefts[k * (TY + 1u) + quad] = four;
    }
    for (var i = lid; i < TK * TX; i += TX * TY) {
      let k = i / TX;
      let n = n0 + 4u * (i % TX);
      var four = vec4f(0.0f);
      if (k0 + k < depth) {
        four = vec4f(right(k0 + k, n), right(k0 + k, n + 1u), right(k0 + k, n + 2u), right(k0 + k, n + 3u));
      }
      rights[k * (TX + 1u) + i % TX] = four;
    }
    workgroupBarrier();
    for (var k = 0u; k < TK; k++) {
      let a = lefts[k * (TY + 1u) + row];
      let b = rights[k * (TX + 1u) + column];
      sums[0] = fma(vec4f(a.x), b, sums[0]);
      sums[1] = fma(vec4f(a.y), b, sums[1]);
      sums[2] = fma(vec4f(a.z), b, sums[2]);
      sums[3] = fma(vec4f(a.w), b, sums[3]);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      store(m0 + 4u * row + i, n0 + 4u * column + j, sums[i][j]);
    }
  }
}
