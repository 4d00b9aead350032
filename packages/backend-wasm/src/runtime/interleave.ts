/*
 * The two SIMD flavours are the same program but for their multiply-adds. Block by block one after the other, each finds its twin within
 * what deflate looks back on, and both together take little more than one.
 */

/** How many blocks each array is cut into: a block and its twin have to lie within the 32 kB that deflate looks back on. */
const BLOCKS = 16;

const cut = (length: number, block: number): number => Math.floor((length * block) / BLOCKS);

/** Blocks of all arrays in turn. */
export function interleave(arrays: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(arrays.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (let block = 0; block < BLOCKS; block++)
    for (const array of arrays) {
      const part = array.subarray(cut(array.length, block), cut(array.length, block + 1));
      out.set(part, at);
      at += part.length;
    }
  return out;
}

/** One of the arrays again; `lengths`: of all of them. */
export function pick(interleaved: Uint8Array, lengths: readonly number[], which: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(lengths[which]!);
  let at = 0;
  for (let block = 0; block < BLOCKS; block++)
    for (const [i, length] of lengths.entries()) {
      const [begin, end] = [cut(length, block), cut(length, block + 1)];
      if (i === which) out.set(interleaved.subarray(at, at + end - begin), begin);
      at += end - begin;
    }
  return out;
}
