// Products of every row of a chunk with every row of it: C B^T of a group, or dY x^T of a head.
//: include parts/chunks.wgsl
@group(0) @binding(1) var<storage, read> x: array<f32>; // [b, l, heads, r, WIDTH]
@group(0) @binding(2) var<storage, read> y: array<f32>; // [b, l, heads, r, WIDTH]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [b, chunks, heads, ROWS, ROWS]
const WIDTH = 64u;
const OF_HEADS = false; // heads = h, else g

fn left(m: u32, k: u32) -> f32 {
  return select(0.0f, x[rowAt(m, heads(), own.z) * WIDTH + k], inside(m));
}
fn right(k: u32, n: u32) -> f32 {
  return select(0.0f, y[rowAt(n, heads(), own.z) * WIDTH + k], inside(n));
}
fn store(m: u32, n: u32, value: f32) {
  if (m < ROWS && n < ROWS) {
    out[(block * ROWS + m) * ROWS + n] = value;
  }
}
const MASKED = false;
fn reaches(m: u32, k0: u32) -> bool {
  return true;
}
fn concerns(m: u32, k: u32) -> bool {
  return true;
}
fn heads() -> u32 {
  return select(params.g, params.h, OF_HEADS);
}

//: include parts/quads.wgsl
//: include parts/product.wgsl

@compute @workgroup_size(TX * TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = group.y + group.z * groups.y;
  if (id >= params.batch) {
    return;
  }
  begin(id, heads());
  let first = tileAt(group.x, ROWS);
  var sums: array<vec4f, 4>;
  accumulate(&sums, first, 0u, WIDTH, true, true, lid);
  finish(sums, first, lid);
}
