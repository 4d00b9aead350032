// chunkStates.wgsl of half floats. A workgroup makes what a chunk adds for HEADS heads of a group: keys are cut in two once for all of them and stay with
// the subgroup that multiplies them; the values of a head are on their way while those of the last are multiplied. A product for each head alone, as
// f32 has them, waits for memory at each step with too few workgroups at once: it took as long as f32.
//: variant UNITS = Matrix | Plain
//: include parts/chunks.wgsl
@group(0) @binding(1) var<storage, read> values: array<vec4f>; // v or dout [b, l, h, p]
@group(0) @binding(2) var<storage, read> keys: array<vec4f>; // k or q [b, l, g, n]
@group(0) @binding(3) var<storage, read> decays: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> states: array<f32>; // [b, chunks, h, p, n]
@group(0) @binding(5) var<storage, read_write> loud: array<u32>; // 1 where an operand is left to f32
const ADJOINT = false;
const HEADS = 4u;
const WG = 256u; // 2 N
const ROW = P / 8u; // eights a row of values; P = Q
const EACH = Q * ROW / WG; // eights of values a thread
const SHARERS = WG / Q; // threads that cut a row of keys
const PITCH = 5u; // vec4u a row of a block
const BLOCKS = Q / 16u * (P / 32u); // of one half of [Q, P]
// Two by turns, high halves and low ones, in blocks of 16 rows of 32 values: a matrix is loaded at a constant place in a block, which nothing needs
// to check; one word more a row spreads the rows over the banks.
var<workgroup> tile: array<array<vec4u, 16u * PITCH>, 4u * BLOCKS>;
var<workgroup> keyScales: array<f32, Q>;
var<workgroup> peaks: array<atomic<u32>, 2>;
//: include parts/halves/splitting.wgsl
//: include parts/halves/states$UNITS.wgsl

fn blockOf(part: u32, row: u32, eight: u32) -> u32 {
  return part * BLOCKS + row / 16u * (P / 32u) + eight / 4u;
}
fn placeOf(row: u32, eight: u32) -> u32 {
  return row % 16u * PITCH + eight % 4u;
}
fn placeHalves(part: u32, row: u32, eight: u32, halves: Halves) {
  tile[blockOf(part, row, eight)][placeOf(row, eight)] = halves.high;
  tile[blockOf(part + 1u, row, eight)][placeOf(row, eight)] = halves.low;
}

fn bringValues(lid: u32, head: u32) -> array<vec4f, 2u * EACH> {
  var next: array<vec4f, 2u * EACH>;
  //: unroll
  for (var e = 0u; e < EACH; e++) {
    let row = (lid + WG * e) / ROW;
    let at = rowAt(row, params.h, head) * (P / 4u) + (lid + WG * e) % ROW * 2u;
    next[2u * e] = select(vec4f(0.0f), values[at], inside(row));
    next[2u * e + 1u] = select(vec4f(0.0f), values[at + 1u], inside(row));
  }
  return next;
}

// With what each row enters the state, 0 where it is of another sequence.
fn bringScales(lid: u32, owner: u32) -> array<f32, EACH> {
  var next: array<f32, EACH>;
  //: unroll
  for (var e = 0u; e < EACH; e++) {
    let at = 2u * (owner * Q + (lid + WG * e) / ROW);
    next[e] = select(decays[at].w * decays[at + 1u].z, decays[at + 1u].y, ADJOINT);
  }
  return next;
}

// Cuts the keys, a power of two a row, to both parts of the tile: P of their columns each.
fn placeKeys(lid: u32) {
  let row = lid / SHARERS;
  let at = rowAt(row, params.g, own.z) * (N / 4u);
  var mine: array<vec4f, 2u * (N / 8u / SHARERS)>;
  var largest = 0u;
  //: unroll
  for (var e = 0u; e < N / 8u / SHARERS; e++) {
    let eight = lid % SHARERS + SHARERS * e;
    mine[2u * e] = select(vec4f(0.0f), keys[at + 2u * eight], inside(row));
    mine[2u * e + 1u] = select(vec4f(0.0f), keys[at + 2u * eight + 1u], inside(row));
    largest = max(largest, max(magnitude(mine[2u * e]), magnitude(mine[2u * e + 1u])));
  }
  largest = largestOfRow(largest, lid);
  if (isLoud(largest)) {
    loud[0] = 1u;
  }
  let exponent = exponentOf(largest);
  if (lid % SHARERS == 0u) {
    keyScales[row] = scaleDown(exponent);
  }
  //: unroll
  for (var e = 0u; e < N / 8u / SHARERS; e++) {
    let eight = lid % SHARERS + SHARERS * e;
    placeKey(row, eight, halvesOf(mine[2u * e] * scaleUp(exponent), mine[2u * e + 1u] * scaleUp(exponent)));
  }
}

// Cuts a head's values to the part of the tile whose turn it is; returns their power of two. The first barrier, that of the peak, also
// tells that this part is no longer read.
fn placeValues(given: array<vec4f, 2u * EACH>, scales: array<f32, EACH>, lid: u32, turn: u32) -> f32 {
  var scaled: array<vec4f, 2u * EACH>;
  var largest = 0u;
  var found = false;
  //: unroll
  for (var e = 0u; e < EACH; e++) {
    let scale = scales[e] * keyScales[(lid + WG * e) / ROW];
    found = found || isLoud(bitcast<u32>(scales[e]) & 0x7fffffffu) || isLoud(max(magnitude(given[2u * e]), magnitude(given[2u * e + 1u])));
    scaled[2u * e] = given[2u * e] * scale;
    scaled[2u * e + 1u] = given[2u * e + 1u] * scale;
    largest = max(largest, max(magnitude(scaled[2u * e]), magnitude(scaled[2u * e + 1u])));
  }
  if (found) {
    loud[0] = 1u;
  }
  tellLargest(largest, lid, turn);
  let exponent = exponentOf(workgroupUniformLoad(&peaks[turn]));
  if (lid == 0u) {
    atomicStore(&peaks[1u - turn], 0u);
  }
  //: unroll
  for (var e = 0u; e < EACH; e++) {
    let halves = halvesOf(scaled[2u * e] * scaleUp(exponent), scaled[2u * e + 1u] * scaleUp(exponent));
    placeHalves(2u * turn, (lid + WG * e) / ROW, (lid + WG * e) % ROW, halves);
  }
  workgroupBarrier();
  return scaleDown(exponent);
}

fn run(id: u32, lid: u32, subgroup: u32) {
  let heads = params.h / params.g;
  let sets = (heads + HEADS - 1u) / HEADS;
  if (id >= params.batch) {
    return;
  }
  begin(id / sets, params.g);
  // The heads of all chunks count on: those of this one from here.
  let before = id / sets / params.g * params.h;
  let ofGroup = before + id / sets % params.g * heads;
  let first = ofGroup + id % sets * HEADS;
  multiply(lid, subgroup, before, first, min(first + HEADS, ofGroup + heads));
}
