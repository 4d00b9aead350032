/** Rotations of Threefry-2x32, Table 3. */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

/**
 * Threefry-2x32 with 20 rounds: two random words from a key and a counter, both of two words. Nothing is carried from draw to
 * draw, so a device can make the n-th number of any stream, and every backend makes the same.
 * Source: Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3. Not for cryptography.
 */
export function threefry2x32(
  key: readonly [number, number],
  counter: readonly [number, number],
): [first: number, second: number] {
  const keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda];
  let x = (counter[0] + keys[0]!) | 0;
  let y = (counter[1] + keys[1]!) | 0;
  for (let round = 0; round < 20; round++) {
    const by = ROTATIONS[round % 8]!;
    x = (x + y) | 0;
    y = ((y << by) | (y >>> (32 - by))) ^ x;
    if (round % 4 !== 3) continue;
    const turn = (round + 1) / 4;
    x = (x + keys[turn % 3]!) | 0;
    y = (y + keys[(turn + 1) % 3]! + turn) | 0;
  }
  return [x >>> 0, y >>> 0];
}
