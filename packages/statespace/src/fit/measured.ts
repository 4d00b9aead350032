/** Mean and deviation of each channel. */
export interface Measured {
  readonly mean: Float32Array;
  readonly std: Float32Array;
}

/** Least deviation, as a share of the mean: a channel that does not change is only shifted. */
const LEAST_SHARE = 1e-6;

/**
 * Mean and deviation of channels over rows, in float64 and in two passes; NaN does not count.
 * @param rows each gives the value of a step and a channel
 * @param lengths steps of each row
 */
export function measured(
  channels: number,
  rows: readonly ((step: number, channel: number) => number)[],
  lengths: readonly number[],
): Measured {
  const means = new Float64Array(channels);
  const deviations = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const each = (take: (value: number) => void): void =>
      rows.forEach((row, r) => {
        for (let i = 0; i < lengths[r]!; i++) {
          const value = row(i, channel);
          if (!Number.isNaN(value)) take(value);
        }
      });
    let [count, total, squares] = [0, 0, 0];
    each((value) => {
      count++;
      total += value;
    });
    const mean = count === 0 ? 0 : total / count;
    each((value) => (squares += (value - mean) ** 2));
    const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
    means[channel] = mean;
    deviations[channel] = deviation > LEAST_SHARE * Math.abs(mean) ? deviation : 1;
  }
  return { mean: Float32Array.from(means), std: Float32Array.from(deviations) };
}
