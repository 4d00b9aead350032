// Rows of a, each by the matrix of its expert, tile by tile; a tile is of one expert. Forward (TB): y = a W_e^T; else y = a W_e.
// How W is stored is the business of `weights` (linear/parts/weights).
//: variant FORMAT = scalar | f32 | f16 | bf16 | q8 | q4
const TB = true;
const BM = 32u; // rows of a tile
const BN = 64u; // its columns
const BK = 32u; // depth of a slice
const WG = 128u; // threads, 16 by 8, each 4 by 4 elements

// Of W: experts matrices [n, k]; where the scales of a quantised one begin, in vec4u. Of a: choices that share a row.
struct Params { experts: u32, n: u32, k: u32, scales: u32, s: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // [count / s, depth]
@group(0) @binding(3) var<storage, read> starts: array<u32>; // [experts + 1]
@group(0) @binding(4) var<storage, read> order: array<u32>; // [count]
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [count, columns]

//: include ../linear/parts/weights/$FORMAT.wgsl

var<workgroup> tileA: array<f32, BK * BM>; // [k][row]
var<workgroup> tileB: array<f32, BK * BN>; // [k][column]
var<workgroup> found: vec3u; // expert, first and last of its choices that are the tile's

fn findTile(tile: u32) -> vec3u {
  var before = 0u;
  for (var expert = 0u; expert < params.experts; expert++) {
    let first = starts[expert];
    let until = starts[expert + 1u];
    let tiles = (until - first + BM - 1u) / BM;
    if (tile < before + tiles) {
      let begin = first + (tile - before) * BM;
      return vec3u(expert, begin, min(begin + BM, until));
    }
    before += tiles;
  }
  return vec3u();
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  if (lid == 0u) {
    found = findTile(group.y);
  }
  workgroupBarrier();
  let tile = workgroupUniformLoad(&found);
  let depth = select(params.n, params.k, TB);
  let columns = select(params.k, params.n, TB);
  let column0 = group.x * BN;
  let quads = (params.k + 3u) / 4u;
  let tx = lid % 16u;
  let ty = lid / 16u;
  var sum: array<vec4f, 4>;
  // A tile that is nobody's has no rows and goes through the motions: barriers are for all.
  for (var k0 = 0u; k0 < select(0u, depth, tile.z > tile.y); k0 += BK) {
    for (var i = lid; i < BM * BK; i += WG) {
      let row = tile.y + i / BK;
      let k = k0 + i % BK;
      var value = 0.0f;
      if (row < tile.z && k < depth) {
        value = a[order[row] / params.s * depth + k];
      }
      tileA[i % BK * BM + i / BK] = value;
    }
    if (TB) {
      // A column is a row of W: WIDTH quads along k at a time.
      for (var i = lid; i < BN * (BK / 4u / WIDTH); i += WG) {
        let column = i / (BK / 4u / WIDTH);
        let quad = i % (BK / 4u / WIDTH) * WIDTH;
        let at = k0 / 4u + quad;
        var w: array<vec4f, WIDTH>;
        if (column0 + column < columns && at < quads) {
          w = weights(tile.x * params.n + column0 + column, at);
        }
        for (var j = 0u; j < WIDTH; j++) {
          for (var c = 0u; c < 4u; c++) {
            tileB[(4u * (quad + j) + c) * BN + column] = w[j][c];
          }
        }
      }
    } else {
      for (var i = lid; i < BK * (BN / 4u / WIDTH); i += WG) {
        let k = i / (BN / 4u / WIDTH);
        let quad = i % (BN / 4u / WIDTH) * WIDTH;
        let at = column0 / 4u + quad;
        var w: array<vec4f, WIDTH>;
        if (k0 + k < depth && at < quads) {
          w = weights(tile.x * params.n + k0 + k, at);
        }
        for (var j = 0u; j < WIDTH; j++) {
          for (var c = 0u; c < 4u; c++) {
            tileB[k * BN + 4u * (quad + j) + c] = w[j][c];
          }
        }
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < BK; k++) {
      let at = k * BN + 4u * tx;
      let b = vec4f(tileB[at], tileB[at + 1u], tileB[at + 2u], tileB[at + 3u]);
      for (var i = 0u; i < 4u; i++) {
        sum[i] = fma(vec4f(tileA[k * BM + 4u * ty + i]), b, sum[i]);
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let row = tile.y + 4u * ty + i;
    for (var j = 0u; j < 4u; j++) {
      let column = column0 + 4u * tx + j;
      if (row < tile.z && column < columns) {
        y[order[row] * columns + column] = sum[i][j];
      }
    }
  }
}
