// How threads share out columns: LANES of them a column, each with every LANES-th vector of four rows.
const LANES = 1u; // divides N4
const COLUMNS = 32u; // a workgroup
const WG = 32u; // COLUMNS LANES
const ROWS = N4 / LANES; // vectors of four rows a thread
var<workgroup> parts: array<vec2f, 2u * WG>;

// A thread's vector m among those of the column, and its first row.
fn vectorOf(m: u32, lane: u32) -> u32 {
  return m * LANES + lane;
}
fn rowOf(m: u32, lane: u32) -> u32 {
  return 4u * vectorOf(m, lane);
}

// The sum over a column's lanes; `turn` counts the calls, whose parts lie in two places by turns, so that one barrier will do.
fn overLanes(own: vec2f, lid: u32, turn: u32) -> vec2f {
  if (LANES == 1u) {
    return own;
  }
  let base = turn % 2u * WG;
  parts[base + lid] = own;
  workgroupBarrier();
  var sum = vec2f(0.0f);
  for (var lane = 0u; lane < LANES; lane++) {
    sum += parts[base + lane * COLUMNS + lid % COLUMNS];
  }
  return sum;
}
