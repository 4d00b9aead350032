// Adds the workgroups' partials of dB and dC over the channels of each group.
struct Params { bl: u32, g: u32, n: u32, N: u32, tiles: u32 } // tiles of channels a group
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>; // [g tiles, b l, 2 N]
@group(0) @binding(2) var<storage, read_write> dB: array<f32>; // [b, l, g, n]
@group(0) @binding(3) var<storage, read_write> dC: array<f32>; // [b, l, g, n]

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 128u + lane; // over [b l, g, 2 N]
  let row = 2u * params.N;
  if (i >= params.bl * params.g * row) {
    return;
  }
  let column = i % row;
  let g = (i / row) % params.g;
  let position = i / (row * params.g);
  var sum = 0.0f;
  for (var tile = 0u; tile < params.tiles; tile++) {
    sum += sums[((g * params.tiles + tile) * params.bl + position) * row + column];
  }
  let n = column % params.N;
  let out = (position * params.g + g) * params.n + n;
  if (n < params.n) {
    if (column < params.N) {
      dB[out] = sum;
    } else {
      dC[out] = sum;
    }
  }
}
