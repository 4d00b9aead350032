// step.wgsl for one row, with both projections before it taken in (see src/fusion): from the convolution's output to y in one dispatch.
// Each workgroup makes the whole first projection (delta's inputs, B and C) for itself. Its weights are small and come from the
// cache; the dispatch that is saved costs more. What the separate kernels would have written is written too.
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
//: variant DELTA_FORMAT = f32 | f16 | bf16
//: variant SUMS = workgroup | subgroup
const WG = 512u;
const LANES = 32u; // threads a row of the first projection
const CH = 32u; // channels a workgroup
const K = 1536u; // inputs of the first projection
const ROWS = 80u; // its outputs
const R = 48u; // the first of them go into delta
const N = 16u;
override HAS_D = false;
override HAS_Z = false;
override HAS_BIAS = false;
override SOFTPLUS = false;

struct Params { d: u32, g: u32, rowB: u32, rowC: u32, k: u32, scales: u32 } // B and C: outputs of the first projection from rowB, rowC on
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<vec4f>; // [d], d = K
@group(0) @binding(4) var<storage, read> z: array<f32>; //: if HAS_Z // [d]
@group(0) @binding(5) var<storage, read> A: array<f32>; // [d, N]
@group(0) @binding(6) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(7) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(8) var<storage, read_write> state: array<f32>; // [d, N]
@group(0) @binding(9) var<storage, read_write> projectedOut: array<f32>; // [ROWS]
@group(0) @binding(10) var<storage, read_write> delta: array<f32>; // [d]
@group(0) @binding(11) var<storage, read_write> y: array<f32>; // [d]

//: include ../shared/math.wgsl
//: include ../linear/parts/weights/$FORMAT.wgsl
//: include parts/deltaWeights/$DELTA_FORMAT.wgsl
//: include parts/sumOver/$SUMS.wgsl
//: include parts/projectedStep.wgsl

const STEPS = (K / 4u + LANES * WIDTH - 1u) / (LANES * WIDTH);
const TURNS = (ROWS * LANES + WG - 1u) / WG;

fn inputAt(c: u32) -> f32 {
  return u[c / 4u][c % 4u];
}

// The first projection, into `projected`: the threads keep their parts of u in registers over all rows.
fn project(lid: u32) {
  let at = lid % LANES;
  var inputs: array<vec4f, STEPS * WIDTH>;
  //: unroll
  for (var s = 0u; s < STEPS; s++) {
    let quad = (s * LANES + at) * WIDTH;
    //: unroll
    for (var j = 0u; j < WIDTH; j++) {
      inputs[s * WIDTH + j] = u[min(quad, K / 4u - WIDTH) + j] * select(0.0f, 1.0f, quad < K / 4u);
    }
  }
  //: unroll
  for (var t = 0u; t < TURNS; t++) {
    let row = t * (WG / LANES) + lid / LANES;
    var sum = 0.0f;
    //: unroll
    for (var s = 0u; s < STEPS; s++) {
      let rowW = weights(min(row, ROWS - 1u), min((s * LANES + at) * WIDTH, K / 4u - WIDTH));
      //: unroll
      for (var j = 0u; j < WIDTH; j++) {
        sum += dot(rowW[j], inputs[s * WIDTH + j]);
      }
    }
    sum = sumOver(sum, lid, LANES);
    if (at == 0u && row < ROWS) {
      projected[row] = sum;
    }
  }
  workgroupBarrier();
}
