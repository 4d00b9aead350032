/** 2^h = sum c_i h^i for h in [0, 1), in units of 2^-31; `sampleToken`'s definition. */
const POWER = [2147483653, 1488521704, 515890973, 119143746, 20796632, 2661018, 469564];

/** The upper 32 bits of the product of two 32-bit numbers: through 16-bit halves, since a double holds 53 bits. */
function mulHigh(x: number, y: number): number {
  const [xHigh, xLow, yHigh, yLow] = [x >>> 16, x & 0xffff, y >>> 16, y & 0xffff];
  const cross = xHigh * yLow + ((xLow * yLow) >>> 16);
  return xHigh * yHigh + Math.floor(cross / 65536) + ((xLow * yHigh + (cross % 65536)) >>> 16);
}

/** 2^-octaves in units of 2^-31, all in whole numbers; 0 from 32 octaves on. */
export function fixedWeight(octaves: number): number {
  if (!(octaves < 32)) return 0;
  const n = Math.floor(octaves * 2 ** 24);
  const h = 2 ** 32 - 1 - (n % 2 ** 24) * 256;
  let power = 0;
  for (let i = POWER.length - 1; i >= 0; i--) power = POWER[i]! + mulHigh(power, h);
  return Math.floor(power / 2 ** (Math.floor(n / 2 ** 24) + 1));
}

/** floor(mass word / 2^32) for a mass below 2^53 and a 32-bit word. */
export function share(mass: number, word: number): number {
  return Number((BigInt(mass) * BigInt(word)) >> 32n);
}
