// step.wgsl for one row, with both projections before it taken in (see src/fusion). The first (delta's inputs, B and C) was made in parts,
// one a block of its inputs, where those inputs were made (convProjected.wgsl); each workgroup adds them up for itself.
//: variant DELTA_FORMAT = f32 | f16 | bf16
//: variant SUMS = workgroup | subgroup
const WG = 512u;
const CH = 32u; // channels a workgroup
const BLOCKS = 48u; // of the first projection's inputs
const ROWS = 80u; // its outputs
const R = 48u; // the first of them go into delta
const N = 16u;
override HAS_D = false;
override HAS_Z = false;
override HAS_BIAS = false;
override SOFTPLUS = false;

struct Params { d: u32, g: u32, rowB: u32, rowC: u32, pad: u32 } // B and C: outputs of the first projection from rowB, rowC on
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<f32>; // [d]
@group(0) @binding(2) var<storage, read> parts: array<f32>; // [BLOCKS, ROWS]
@group(0) @binding(4) var<storage, read> z: array<f32>; //: if HAS_Z // [d]
@group(0) @binding(5) var<storage, read> A: array<f32>; // [d, N]
@group(0) @binding(6) var<storage, read> D: array<f32>; //: if HAS_D // [d]
@group(0) @binding(7) var<storage, read> deltaBias: array<f32>; //: if HAS_BIAS // [d]
@group(0) @binding(8) var<storage, read_write> state: array<f32>; // [d, N]
@group(0) @binding(9) var<storage, read_write> projectedOut: array<f32>; // [ROWS]
@group(0) @binding(10) var<storage, read_write> delta: array<f32>; // [d]
@group(0) @binding(11) var<storage, read_write> y: array<f32>; // [d]

//: include ../shared/math.wgsl
//: include parts/deltaWeights/$DELTA_FORMAT.wgsl
//: include parts/sumOver/$SUMS.wgsl
//: include parts/projectedStep.wgsl

// Threads that add up the parts of one output, each of some blocks.
const ADDERS = WG / ROWS;
const EACH = (BLOCKS + ADDERS - 1u) / ADDERS;
var<workgroup> sums: array<f32, WG>;

fn inputAt(c: u32) -> f32 {
  return u[c];
}

fn project(lid: u32) {
  let row = lid % ROWS;
  let adder = lid / ROWS;
  var sum = 0.0f;
  //: unroll
  for (var i = 0u; i < EACH; i++) {
    let block = adder + i * ADDERS;
    sum += parts[min(block, BLOCKS - 1u) * ROWS + row] * select(0.0f, 1.0f, block < BLOCKS && adder < ADDERS);
  }
  sums[lid] = sum;
  workgroupBarrier();
  if (lid < ROWS) {
    for (var i = 1u; i < ADDERS; i++) {
      sum += sums[lid + i * ROWS];
    }
    projected[lid] = sum;
  }
  workgroupBarrier();
}
