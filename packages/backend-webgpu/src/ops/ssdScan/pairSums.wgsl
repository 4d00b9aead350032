// What pairs of rows are to each other, over the heads of a group: sum_h decay w (dout v^T), of a token's own rows own weight (dout v^T), 0 where the one
// written comes later. Keys are a group's, so that the sum is multiplied with them once, and not each head's share. LANES threads a row.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> scores: array<f32>; // dout v^T [b, chunks, h, ROWS, ROWS]
@group(0) @binding(2) var<storage, read> decays: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> pairs: array<f32>; // [b, chunks, g, ROWS, ROWS]
//: include parts/decays.wgsl
const LANES = 16u;
const WG = 256u;
const EACH = (ROWS + LANES - 1u) / LANES;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row = (group.x + group.y * groups.x) * (WG / LANES) + lid / LANES;
  if (row >= params.batch) {
    return;
  }
  begin(row / ROWS, params.g);
  let m = row % ROWS;
  let heads = params.h / params.g;
  var sums: array<f32, EACH>;
  for (var head = 0u; head < heads; head++) {
    let owner = block / params.g * params.h + own.z * heads + head;
    let mine = tokenAt(owner * Q + m / R);
    //: unroll
    for (var e = 0u; e < EACH; e++) {
      let s = lid % LANES + e * LANES;
      if (s < ROWS && s / R <= m / R) {
        let other = decays[2u * (owner * Q + s / R)]; // sum, rest, restarts, weight
        let factor = select(
          expAccurate((mine.sum - other.x) + (mine.rest - other.y)) * other.w, mine.ownWeight, s / R == m / R,
        );
        sums[e] += select(0.0f, factor * scores[(owner * ROWS + m) * ROWS + s], mine.restarts == other.z);
      }
    }
  }
  //: unroll
  for (var e = 0u; e < EACH; e++) {
    let s = lid % LANES + e * LANES;
    if (s < ROWS) {
      pairs[(block * ROWS + m) * ROWS + s] = sums[e];
    }
  }
}
