/** Seeded uniform floats in [low, high), so that runs compare. */
export function uniform(seed: number, size: number, low = -1, high = 1): Float32Array {
  let state = seed >>> 0 || 1;
  const values = new Float32Array(size);
  const scale = (high - low) / 2 ** 24;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[i] = low + scale * (state >>> 8);
  }
  return values;
}

/** ||out - reference|| / ||reference||; NaN never passes a bound. */
export function relativeError(out: ArrayLike<number>, reference: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < reference.length; i++) {
    difference += (out[i]! - reference[i]!) ** 2;
    size += reference[i]! ** 2;
  }
  return Math.sqrt(difference / (size || 1));
}
