// y = x W^T (+ bias) for a few rows of x: decode. LANES threads read a row of W once, along k, and serve all rows of x.
// How W is stored is the business of `weights` (parts/weights).
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
//: variant SUMS = workgroup | subgroup
const WG = 128u;
const LANES = 32u;
const M = 1u; // rows of x
const AHEAD = 4u; // words of W in flight a thread
override HAS_BIAS = false;

struct Params { n: u32, k: u32, scales: u32 } // scales: where those of a quantised weight begin, in vec4u
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [m, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>; //: if HAS_BIAS // [n]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [m, n]

//: include parts/weights/$FORMAT.wgsl
//: include ../shared/lanes/$SUMS.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  var sum: array<f32, M>;
  if (row < params.n) {
    let quads = params.k / 4u;
    // WIDTH quads a thread at a time: 16 bytes of a packed weight.
    for (var q0 = lane * WIDTH; q0 < quads; q0 += LANES * WIDTH * AHEAD) {
      var w: array<array<vec4f, WIDTH>, AHEAD>;
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        w[a] = weights(row, min(q0 + a * LANES * WIDTH, quads - WIDTH));
      }
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        let q = q0 + a * LANES * WIDTH;
        let alive = select(0.0f, 1.0f, q < quads);
        //: unroll
        for (var j = 0u; j < WIDTH; j++) {
          for (var m = 0u; m < M; m++) {
            sum[m] = fma(alive, dot(w[a][j], x[m * quads + min(q, quads - WIDTH) + j]), sum[m]);
          }
        }
      }
    }
  }
  for (var m = 0u; m < M; m++) {
    let total = sumLanes(sum[m], lid);
    if (lane == 0u && row < params.n) {
      y[m * params.n + row] = total + select(0.0f, bias[row], HAS_BIAS);
    }
  }
}
