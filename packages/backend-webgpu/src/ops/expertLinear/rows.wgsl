// A few choices, each by itself: y = W_e x. LANES threads read a row of W once, along k; as linear/gemv, with the row's expert looked up.
//: variant FORMAT = f32 | f16 | bf16 | q8 | q4
//: variant SUMS = workgroup | subgroup
const WG = 128u;
const LANES = 32u;
const AHEAD = 4u; // words of W in flight a thread

struct Params { experts: u32, n: u32, k: u32, scales: u32, s: u32 } // scales: where those of a quantised weight begin, in vec4u
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [count / s, k]
@group(0) @binding(3) var<storage, read> ids: array<i32>; // [count]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [count, n]

//: include ../linear/parts/weights/$FORMAT.wgsl
//: include ../shared/lanes/$SUMS.wgsl

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  let lane = lid % LANES;
  let choice = group.z;
  let expert = bitcast<u32>(ids[choice]);
  let quads = params.k / 4u;
  let begin = choice / params.s * quads;
  var sum = 0.0f;
  if (row < params.n && expert < params.experts) {
    for (var q0 = lane * WIDTH; q0 < quads; q0 += LANES * WIDTH * AHEAD) {
      var w: array<array<vec4f, WIDTH>, AHEAD>;
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        w[a] = weights(expert * params.n + row, min(q0 + a * LANES * WIDTH, quads - WIDTH));
      }
      //: unroll
      for (var a = 0u; a < AHEAD; a++) {
        let q = q0 + a * LANES * WIDTH;
        let alive = select(0.0f, 1.0f, q < quads);
        //: unroll
        for (var j = 0u; j < WIDTH; j++) {
          sum = fma(alive, dot(w[a][j], x[begin + min(q, quads - WIDTH) + j]), sum);
        }
      }
    }
  }
  let total = sumLanes(sum, lid);
  if (lane == 0u && row < params.n) {
    y[choice * params.n + row] = total;
  }
}
