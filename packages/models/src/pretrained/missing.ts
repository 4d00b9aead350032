import { ArgumentError } from "@statespace/core";
import type { Missing } from "../model/ends.ts";

/**
 * Values without NaN, which stands for one that is missing: refused; 0, and channels behind that are 1 where there is a value; or on the line
 * between neighbours in time, at an end on a level with the nearest.
 * @param values [l, channels], which may be changed
 * @returns [l, channels], or [l, 2 channels] with a mask
 * @throws ArgumentError for infinity, for what is missing where that is refused, and for a channel without any value to interpolate
 */
export function withoutMissing(values: Float32Array, channels: number, missing: Missing, where: string): Float32Array {
  const wrong = values.findIndex((value) => !(Number.isFinite(value) || (missing !== "refuse" && Number.isNaN(value))));
  if (wrong >= 0) {
    const hint = Number.isNaN(values[wrong])
      ? ' (an encoder with missing "mask" or "interpolate" takes NaN for what is missing)'
      : "";
    throw new ArgumentError(`${where}: must be finite, got ${values[wrong]} at ${Math.floor(wrong / channels)}${hint}`);
  }
  if (missing === "mask") return masked(values, channels);
  if (missing === "interpolate")
    for (let channel = 0; channel < channels; channel++) interpolate(values, channels, channel, where);
  return values;
}

function masked(values: Float32Array, channels: number): Float32Array {
  const out = new Float32Array(2 * values.length);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    const at = 2 * channels * Math.floor(i / channels) + (i % channels);
    out[at] = value;
    out[at + channels] = 1;
  });
  return out;
}

/** Fills the gaps of one channel, in place. */
function interpolate(values: Float32Array, channels: number, channel: number, where: string): void {
  const length = values.length / channels;
  let before = -1;
  for (let t = 0; t <= length; t++) {
    const there = t < length && !Number.isNaN(values[t * channels + channel]);
    if (t < length && !there) continue;
    if (t === length && before === -1)
      throw new ArgumentError(`${where}: channel ${channel} has no value to interpolate between`);
    const left = before === -1 ? undefined : values[before * channels + channel]!;
    const right = t === length ? undefined : values[t * channels + channel]!;
    for (let i = before + 1; i < t; i++)
      values[i * channels + channel] =
        left === undefined || right === undefined
          ? (left ?? right)!
          : left + ((right - left) * (i - before)) / (t - before);
    before = t;
  }
}
