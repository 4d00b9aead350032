// A Mamba block's beginning for one row (see src/fusion): the norm, inProj, the convolution's step, and a part of xProj. A workgroup makes BLOCK outputs of inProj;
// where they are convolved, it multiplies them at once by their columns of xProj's weight, which saves every workgroup of the step from reading
// all of that weight. stepFromParts.wgsl adds the parts up. What the separate kernels would have written is written too, but for xProj's output, which the step writes.
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
//: variant SUMS = workgroup | subgroup
const WG = 512u;
const LANES = 16u; // threads an output
const AHEAD = 4u; // words of W in flight a thread
const TAPS = 4u;
const ROWS = 80u; // outputs of xProj
const BLOCK = 32u;
const K = 0u; // where the input is made once a workgroup, its numbers (../linear/parts/stagedInput.wgsl)
const NORM_SQUARES = true;
override CONV_SILU = false;
override CONV_BIAS = false;
override NORM_WEIGHT = false;

struct Params { n: u32, k: u32, scales: u32, eps: f32, d: u32, xScales: u32 } // the first d outputs go through the convolution, a multiple of BLOCK
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [k]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [n]
@group(0) @binding(5) var<storage, read> normWeight: array<vec4f>; //: if NORM_WEIGHT // [k]
@group(0) @binding(6) var<storage, read_write> normed: array<vec4f>; // [k]
@group(0) @binding(9) var<storage, read> convWeight: array<f32>; // [d, TAPS]
@group(0) @binding(10) var<storage, read> convBias: array<f32>; //: if CONV_BIAS // [d]
@group(0) @binding(11) var<storage, read_write> convState: array<f32>; // [TAPS - 1, d]
@group(0) @binding(12) var<storage, read_write> convolved: array<f32>; // [d]
@group(0) @binding(14) var<storage, read_write> parts: array<f32>; // [d / BLOCK, ROWS]

//: include ../linear/parts/weights/$FORMAT.wgsl
//: include parts/xWeights/$FORMAT.wgsl
//: include ../shared/math.wgsl
//: include ../shared/lanes/$SUMS.wgsl

const AT_ONCE = WG / LANES; // outputs
const PASSES = (BLOCK + AT_ONCE - 1u) / AT_ONCE;
const WORDS = BLOCK / (4u * X_WIDTH); // of a row of xProj in a block
const ITEMS = ROWS * WORDS;
const TURNS = (ITEMS + WG - 1u) / WG;
var<workgroup> block: array<f32, BLOCK>;
var<workgroup> products: array<f32, ITEMS>;

//: include parts/normInput.wgsl
//: include ../linear/parts/stagedInput.wgsl
//: include ../linear/parts/words.wgsl

fn blockQuad(q: u32) -> vec4f {
  return vec4f(block[4u * q], block[4u * q + 1u], block[4u * q + 2u], block[4u * q + 3u]);
}

//: include ../linear/parts/convTaps.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32) {
  let first = group.x * BLOCK;
  let convolves = first < params.d;
  let lane = lid % LANES;
  let quads = params.k / 4u;
  // Columns of xProj's weight, long before they are wanted.
  var columns: array<array<vec4f, X_WIDTH>, TURNS>;
  if (convolves) {
    //: unroll
    for (var t = 0u; t < TURNS; t++) {
      let item = min(t * WG + lid, ITEMS - 1u);
      columns[t] = xWeights(item / WORDS, first / 4u + item % WORDS * X_WIDTH);
    }
  }
  var scale = 0.0f;
  //: unroll
  for (var turn = 0u; turn < PASSES; turn++) {
    let local = turn * AT_ONCE + lid / LANES;
    let row = first + local;
    let at = min(row, params.n - 1u);
    let after = loadTaps(min(row, params.d - 1u));
    var sum = 0.0f;
    var squares = 0.0f;
    // The first words are on their way while the input is made.
    var w = load(at, lane * WIDTH, quads);
    if (STAGED && turn == 0u) {
      stageInput(lid);
      squares = stagedSquares(lane);
    }
    for (var q0 = lane * WIDTH; q0 < quads; q0 += LANES * WIDTH * AHEAD) {
      if (q0 >= LANES * WIDTH) {
        w = load(at, q0, quads);
      }
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        let q = min(q0 + a * LANES * WIDTH, quads - WIDTH);
        let alive = select(0.0f, 1.0f, q0 + a * LANES * WIDTH < quads);
        //: unroll
        for (var j = 0u; j < WIDTH; j++) {
          if (STAGED) {
            sum = fma(alive, dot(w[a][j], staged[j * (STAGED_QUADS / WIDTH) + q / WIDTH]), sum);
          } else {
            sum = fma(alive, dot(w[a][j], weighted(x[q + j], q + j)), sum);
            if (turn == 0u) {
              squares = fma(alive, dot(x[q + j], x[q + j]), squares);
            }
          }
        }
      }
    }
    if (turn == 0u) {
      scale = 1.0f / sqrt(sumLanes(squares, lid) / f32(params.k) + params.eps);
    }
    let total = sumLanes(sum, lid) * scale;
    if (lane == 0u && local < BLOCK && row < params.n) {
      y[row] = total;
      if (convolves) {
        block[local] = convolve(row, total, after);
      }
    }
  }
  if (group.x == 0u) {
    for (var q = lid; q < quads; q += WG) {
      normed[q] = weighted(x[q], q) * scale;
    }
  }
  if (!convolves) {
    return;
  }
  workgroupBarrier();
  //: unroll
  for (var t = 0u; t < TURNS; t++) {
    let item = t * WG + lid;
    var sum = 0.0f;
    //: unroll
    for (var j = 0u; j < X_WIDTH; j++) {
      sum += dot(columns[t][j], blockQuad(item % WORDS * X_WIDTH + j));
    }
    if (item < ITEMS) {
      products[item] = sum;
    }
  }
  workgroupBarrier();
  for (var row = lid; row < ROWS; row += WG) {
    var sum = 0.0f;
    for (var i = 0u; i < WORDS; i++) {
      sum += products[row * WORDS + i];
    }
    parts[group.x * ROWS + row] = sum;
  }
}
