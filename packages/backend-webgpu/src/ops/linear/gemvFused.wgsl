// gemv.wgsl for one row of x, with its neighbours of a decode step taken in (see src/fusion): the norm or the gate before it, the causal
// convolution of some of its rows after it, or a factor and the residual stream. What those kernels would have written is written too.
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
//: variant SUMS = workgroup | subgroup
const WG = 128u;
const LANES = 32u;
const AHEAD = 4u; // words of W in flight a thread
const K = 0u; // where the input is made once a workgroup, its numbers (parts/stagedInput.wgsl)
const NORM_SQUARES = true;
override HAS_BIAS = false;
override NORM = false; // x is normalised by its root mean square and weighted first
override NORM_WEIGHT = false;
override GATED = false; // x is multiplied by silu(z), before the norm if there is one
override GATE_LAST = false; // after the norm
override RESIDUAL = false;
override SCALED = false; // the product is multiplied by a factor before it is added
override CONV = false;
const TAPS = 4u; // of the convolution
override CONV_BIAS = false;
override CONV_SILU = false;

struct Params { n: u32, k: u32, scales: u32, eps: f32, first: u32, d: u32, times: f32 } // d rows from the first on go through the convolution
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [k]
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [n]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [n]
@group(0) @binding(5) var<storage, read> normWeight: array<vec4f>; //: if NORM_WEIGHT // [k]
@group(0) @binding(6) var<storage, read_write> normed: array<vec4f>; //: optional // [k], what the product reads
@group(0) @binding(7) var<storage, read> residual: array<f32>; //: if RESIDUAL // [n]
@group(0) @binding(8) var<storage, read_write> added: array<f32>; //: optional // [n], y + residual
@group(0) @binding(9) var<storage, read> convWeight: array<f32>; //: if CONV // [d, TAPS]
@group(0) @binding(10) var<storage, read> convBias: array<f32>; //: if CONV_BIAS // [d]
@group(0) @binding(11) var<storage, read_write> convState: array<f32>; //: optional // [TAPS - 1, d]
@group(0) @binding(12) var<storage, read_write> convolved: array<f32>; //: optional // [d]
@group(0) @binding(13) var<storage, read> z: array<vec4f>; //: if GATED // [k]
@group(0) @binding(14) var<storage, read_write> activated: array<vec4f>; //: if ACTIVATED // [k], silu(z)
@group(0) @binding(15) var<storage, read_write> factor: array<f32>; //: optional // [], the factor
@group(0) @binding(16) var<storage, read_write> scaled: array<f32>; //: if SCALED // [n], y times the factor
override ACTIVATED = false;

//: include parts/weights/$FORMAT.wgsl
//: include ../shared/math.wgsl
//: include ../shared/lanes/$SUMS.wgsl
//: include parts/rowInput.wgsl
//: include parts/stagedInput.wgsl
//: include parts/words.wgsl
//: include parts/convTaps.wgsl

// What follows the product needs, loaded before it: one wait for memory instead of two.
struct After { bias: f32, residual: f32, taps: Taps }

fn loadAfter(row: u32) -> After {
  var after = After();
  if (HAS_BIAS) {
    after.bias = bias[row];
  }
  if (RESIDUAL) {
    after.residual = residual[row];
  }
  let channel = row - params.first; // wraps around before the first
  if (CONV && channel < params.d) {
    after.taps = loadTaps(channel);
  }
  return after;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  let quads = params.k / 4u;
  let after = loadAfter(min(row, params.n - 1u));
  let at = min(row, params.n - 1u);
  var sum = 0.0f;
  var squares = 0.0f;
  // The first words are on their way while the input is made.
  var w = load(at, lane * WIDTH, quads);
  if (STAGED) {
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
          // The norm's scale is one number: it goes before the sum, so that x is read once.
          let input = inputAt(q + j);
          sum = fma(alive, dot(w[a][j], weighted(input, q + j)), sum);
          squares = fma(alive, dot(input, input), squares);
        }
      }
    }
  }
  var total = sumLanes(sum, lid);
  var scale = 1.0f;
  if (NORM) {
    scale = 1.0f / sqrt(sumLanes(squares, lid) / f32(params.k) + params.eps);
    total *= scale;
  }
  if ((NORM || GATED) && row == 0u) {
    writeInput(scale, lane);
  }
  if (lane == 0u && row < params.n) {
    total += after.bias;
    y[row] = total;
    if (SCALED) {
      total *= params.times;
      scaled[row] = total;
      if (row == 0u) {
        factor[0] = params.times;
      }
    }
    if (RESIDUAL) {
      added[row] = total + after.residual;
    }
    if (CONV && row - params.first < params.d) {
      convolve(row - params.first, total, after.taps);
    }
  }
}
