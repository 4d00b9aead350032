/**
 * The scale-invariant ratio of signal to distortion in decibels.
 * Source: Le Roux et al. 2019, arXiv 1811.02508, equation 3.
 */
export function siSdr(said: Float32Array, clean: Float32Array): number {
  let [product, energy] = [0, 0];
  for (let i = 0; i < clean.length; i++) {
    product += said[i]! * clean[i]!;
    energy += clean[i]! ** 2;
  }
  const scale = product / energy;
  let error = 0;
  for (let i = 0; i < clean.length; i++) error += (said[i]! - scale * clean[i]!) ** 2;
  return 10 * Math.log10((scale * scale * energy) / error);
}

/** Sound with noise at so many decibels, of a root mean square of 0.08. */
export function mixed(
  clean: Float32Array,
  noise: Float32Array,
  snr: number,
): { readonly noisy: Float32Array; readonly clean: Float32Array } {
  const rms = (sound: Float32Array): number =>
    Math.sqrt(sound.reduce((sum, value) => sum + value ** 2, 0) / sound.length);
  const factor = rms(clean) / (rms(noise) * 10 ** (snr / 20));
  const noisy = clean.map((value, i) => value + factor * noise[i]!);
  const loud = 0.08 / rms(noisy);
  return { noisy: noisy.map((value) => loud * value), clean: clean.map((value) => loud * value) };
}
