// A strip of rows of an operand, blocks of four rows and eight values along k: what a workgroup of halves.wgsl reads.
struct Eight { low: vec4f, high: vec4f }
//: include operandA/$IO_A.wgsl
//: include operandB/$IO_B.wgsl

// The strip that a workgroup makes.
struct Strip { ofA: bool, turned: bool, matrix: u32, first: u32, count: u32, rows: u32 } // first: row; count, rows: matrices, and padded rows of one

// Neighbouring threads read neighbouring values.
fn rowOf(strip: Strip, block: u32) -> u32 {
  return 4u * select(block / params.words, block % (ROWS / 4u), strip.turned);
}
fn wordOf(strip: Strip, block: u32) -> u32 {
  return select(block % params.words, block / (ROWS / 4u), strip.turned);
}

fn brought(strip: Strip, block: u32) -> array<Eight, 4> {
  let row = strip.first + rowOf(strip, block);
  // Past the strip: nothing.
  let k = select(params.k, 8u * wordOf(strip, block), block < ROWS / 4u * params.words);
  if (strip.ofA) {
    return blockA(strip.matrix, row, k);
  }
  if (HAS_B) {
    return blockB(strip.matrix, row, k);
  }
  return array<Eight, 4>();
}
