// A strip of rows of an operand, eight values along k at a time: what a workgroup of halves.wgsl reads.
struct Eight { low: vec4f, high: vec4f }
//: include operandA/$IO_A.wgsl
//: include operandB/$IO_B.wgsl

// The strip that a workgroup makes.
struct Strip { ofA: bool, turned: bool, matrix: u32, first: u32, count: u32, rows: u32 } // first: row; count, rows: matrices, and padded rows of one

fn rowOf(strip: Strip, item: u32) -> u32 {
  return select(item / params.words, item % ROWS, strip.turned);
}
fn wordOf(strip: Strip, item: u32) -> u32 {
  return select(item % params.words, item / ROWS, strip.turned);
}

fn brought(strip: Strip, item: u32) -> Eight {
  let row = strip.first + rowOf(strip, item);
  // Past the strip: nothing.
  let k = select(params.k, 8u * wordOf(strip, item), item < ROWS * params.words);
  if (strip.ofA) {
    return eightA(strip.matrix, row, k);
  }
  if (HAS_B) {
    return eightB(strip.matrix, row, k);
  }
  return Eight();
}
