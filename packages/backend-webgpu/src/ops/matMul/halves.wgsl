// Operands as the matrix units take them: half floats with k innermost, zeros up to whole tiles. A workgroup makes a strip of 32 rows, scaled
// by a power of two so that its largest magnitude lies in [2^14, 2^15); it keeps what it read to find that, as far as registers go.
// PARTS = 2: what a half float leaves over goes into a second one, and both together err by 2^-23 of the value or, where it is the larger,
// 2^-39 of the strip's largest magnitude.
//: variant IO_A = vector | turned | scalar
//: variant IO_B = vector | turned | scalar
enable f16;
enable subgroups;
const WG = 512u;
const PARTS = 1u;
const HELD = 1u; // blocks that a thread keeps
const TURNED_A = false; // A is stored [count, k, m]
const TURNED_B = false; // B is stored [count, k, n]
const HAS_B = true; // both operands are made, strips of B after those of A
const ROWS = 32u; // of a strip

struct Params {
  m: u32, n: u32, k: u32, words: u32, // words: vec4u a padded row
  stripsA: u32, stripsB: u32, countA: u32, countB: u32, // strips of a matrix, and matrices
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> halvesA: array<vec4u>; // [PARTS, countA, 32 stripsA, words]
@group(0) @binding(4) var<storage, read_write> halvesB: array<vec4u>; //: if HAS_B // [PARTS, countB, 32 stripsB, words]
@group(0) @binding(5) var<storage, read_write> scalesA: array<f32>; // [countA, stripsA], what undoes the scaling
@group(0) @binding(6) var<storage, read_write> scalesB: array<f32>; //: if HAS_B // [countB, stripsB]
var<workgroup> highest: atomic<u32>;

//: include parts/strip.wgsl

// Bits of the largest finite magnitude, which order as numbers do.
fn magnitude(values: vec4f) -> u32 {
  let size = bitcast<vec4u>(values) & vec4u(0x7fffffffu);
  let finite = select(vec4u(0u), size, size < vec4u(0x7f800000u));
  return max(max(finite.x, finite.y), max(finite.z, finite.w));
}
fn largest(rows: array<Eight, 4>) -> u32 {
  var most = 0u;
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    most = max(most, max(magnitude(rows[i].low), magnitude(rows[i].high)));
  }
  return most;
}

// Rounded to the eleven bits of a half float.
fn elevenBits(x: vec4f) -> vec4f {
  return bitcast<vec4f>((bitcast<vec4u>(x) + vec4u(0x1000u)) & vec4u(0xffffe000u));
}

fn halves(low: vec4f, high: vec4f) -> vec4u {
  return vec4u(bitcast<vec2u>(vec4<f16>(low)), bitcast<vec2u>(vec4<f16>(high)));
}

fn put(ofA: bool, at: u32, words: vec4u) {
  if (ofA) {
    halvesA[at] = words;
  } else if (HAS_B) {
    halvesB[at] = words;
  }
}

fn write(strip: Strip, block: u32, rows: array<Eight, 4>, scale: f32) {
  if (block >= ROWS / 4u * params.words) {
    return;
  }
  let first = (strip.matrix * strip.rows + strip.first + rowOf(strip, block)) * params.words + wordOf(strip, block);
  //: unroll
  for (var i = 0u; i < 4u; i++) {
    let low = scale * rows[i].low;
    let high = scale * rows[i].high;
    // Rounded by integers: a driver may take what a conversion to f16 and back leaves over for nothing.
    let lowHalf = select(low, elevenBits(low), PARTS == 2u);
    let highHalf = select(high, elevenBits(high), PARTS == 2u);
    let at = first + i * params.words;
    put(strip.ofA, at, halves(lowHalf, highHalf));
    if (PARTS == 2u) {
      put(strip.ofA, at + strip.count * strip.rows * params.words, halves(low - lowHalf, high - highHalf));
    }
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lid: u32, @builtin(subgroup_invocation_id) lane: u32,
) {
  let ofA = group.x < params.stripsA;
  let index = group.x - select(params.stripsA, 0u, ofA);
  let strips = select(params.stripsB, params.stripsA, ofA);
  let count = select(params.countB, params.countA, ofA);
  let strip = Strip(ofA, select(TURNED_B, TURNED_A, ofA), group.y, index * ROWS, count, strips * ROWS);
  if (group.y >= count) {
    return;
  }
  var held: array<array<Eight, 4>, HELD>;
  var best = 0u;
  //: unroll
  for (var p = 0u; p < HELD; p++) {
    held[p] = brought(strip, lid + p * WG);
  }
  //: unroll
  for (var p = 0u; p < HELD; p++) {
    best = max(best, largest(held[p]));
  }
  for (var block = lid + HELD * WG; block < ROWS / 4u * params.words; block += 2u * WG) {
    let one = brought(strip, block);
    let other = brought(strip, block + WG);
    best = max(best, max(largest(one), largest(other)));
  }
  let most = subgroupMax(best);
  if (lane == 0u) {
    atomicMax(&highest, most);
  }
  workgroupBarrier();
  let shift = clamp(141 - i32(atomicLoad(&highest) >> 23u), -126, 126);
  let scale = bitcast<f32>(u32(shift + 127) << 23u);
  if (lid == 0u) {
    let undo = bitcast<f32>(u32(127 - shift) << 23u);
    if (ofA) {
      scalesA[group.y * strips + index] = undo;
    } else if (HAS_B) {
      scalesB[group.y * strips + index] = undo;
    }
  }
  //: unroll
  for (var p = 0u; p < HELD; p++) {
    write(strip, lid + p * WG, held[p], scale);
  }
  for (var block = lid + HELD * WG; block < ROWS / 4u * params.words; block += WG) {
    write(strip, block, brought(strip, block), scale);
  }
}
