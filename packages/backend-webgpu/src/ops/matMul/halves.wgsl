// An operand as the matrix units take it: half floats with k innermost, zeros up to whole tiles, scaled by a power of two so that the
// largest magnitude lies in [2^14, 2^15). PARTS = 2: what a half float leaves over goes into a second one, and both together err by
// 2^-23 of the value or, where it is the larger, 2^-39 of the operand's largest magnitude.
//: variant IO = vector | scalar
enable f16;
struct Params {
  rows: u32, k: u32, paddedRows: u32, words: u32, // words: vec4u a padded row
  step: u32, // elements from one matrix of the batch to the next
  index: u32, peaks: u32, // which operand, and how many partial peaks there are of it
}
@group(0) @binding(0) var<uniform> params: Params;
//: include parts/operand/$IO.wgsl
@group(0) @binding(2) var<storage, read> peaks: array<u32>; // [2, peaks]
@group(0) @binding(3) var<storage, read_write> out: array<vec4u>; // [PARTS, batch, paddedRows, words]
@group(0) @binding(4) var<storage, read_write> scales: array<f32>; // [2], what undoes the scaling
const TURNED = false; // X is stored [batch, k, rows]
const PARTS = 1u;
const WG = 256u;
const ROWS = 32u;
const DEPTH = 64u;
var<workgroup> tile: array<array<f32, DEPTH + 1u>, ROWS>;
var<workgroup> highest: atomic<u32>;

// Rounded to the eleven bits of a half float.
fn elevenBits(x: vec4f) -> vec4f {
  return bitcast<vec4f>((bitcast<vec4u>(x) + vec4u(0x1000u)) & vec4u(0xffffe000u));
}

fn halves(low: vec4f, high: vec4f) -> vec4u {
  return vec4u(bitcast<vec2u>(vec4<f16>(low)), bitcast<vec2u>(vec4<f16>(high)));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let row0 = group.x * ROWS;
  let k0 = group.y * DEPTH;
  for (var i = lid; i < params.peaks; i += WG) {
    atomicMax(&highest, peaks[params.index * params.peaks + i]);
  }
  let base = group.z * params.step;
  for (var i = lid; i < ROWS * DEPTH / 4u; i += WG) {
    if (TURNED) {
      let r = i % (ROWS / 4u) * 4u;
      let d = i / (ROWS / 4u);
      let remaining = select(0i, i32(params.rows) - i32(row0 + r), k0 + d < params.k);
      let four = readFour(base + (k0 + d) * params.rows + row0 + r, remaining);
      tile[r][d] = four.x;
      tile[r + 1u][d] = four.y;
      tile[r + 2u][d] = four.z;
      tile[r + 3u][d] = four.w;
    } else {
      let r = i / (DEPTH / 4u);
      let d = i % (DEPTH / 4u) * 4u;
      let remaining = select(0i, i32(params.k) - i32(k0 + d), row0 + r < params.rows);
      let four = readFour(base + (row0 + r) * params.k + k0 + d, remaining);
      tile[r][d] = four.x;
      tile[r][d + 1u] = four.y;
      tile[r][d + 2u] = four.z;
      tile[r][d + 3u] = four.w;
    }
  }
  workgroupBarrier();
  let shift = clamp(141 - i32(atomicLoad(&highest) >> 23u), -126, 126);
  let scale = bitcast<f32>(u32(shift + 127) << 23u);
  if (lid == 0u && all(group == vec3u(0u))) {
    scales[params.index] = bitcast<f32>(u32(127 - shift) << 23u);
  }
  let row = lid / 8u;
  let word = lid % 8u;
  if (k0 / 8u + word >= params.words) {
    return;
  }
  let first = &tile[row];
  let low = scale * vec4f((*first)[8u * word], (*first)[8u * word + 1u], (*first)[8u * word + 2u], (*first)[8u * word + 3u]);
  let high = scale * vec4f((*first)[8u * word + 4u], (*first)[8u * word + 5u], (*first)[8u * word + 6u], (*first)[8u * word + 7u]);
  // Rounded by integers: a driver may take what a conversion to f16 and back leaves over for nothing.
  let lowHalf = select(low, elevenBits(low), PARTS == 2u);
  let highHalf = select(high, elevenBits(high), PARTS == 2u);
  let at = (group.z * params.paddedRows + row0 + row) * params.words + k0 / 8u + word;
  out[at] = halves(lowHalf, highHalf);
  if (PARTS == 2u) {
    out[at + groups.z * params.paddedRows * params.words] = halves(low - lowHalf, high - highHalf);
  }
}
