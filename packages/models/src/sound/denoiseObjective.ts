import {
  add,
  ArgumentError,
  div,
  log,
  mean,
  mul,
  reshape,
  square,
  sub,
  sum,
  tensor,
  tidy,
  type Tensor,
} from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import type { Model } from "../model/model.ts";
import type { TrainingBatch } from "../train/batch.ts";
import type { Trainable } from "../train/objective.ts";
import { framingOf } from "./framing.ts";
import { spectraOn, type Complex, type Spectra } from "./spectra.ts";

/** What the three parts of the loss count. */
const PARTS_WEIGHT = 2;
const SIZE_WEIGHT = 5;
/** Energy that is nothing, of a whole sound. */
const LEAST_ENERGY = 1e-6;

/**
 * What `train` needs of a model that denoises. A batch's inputs are sounds with noise, [b, n, 1], n a multiple of the hop, and its targets the same
 * sounds without, [b, n].
 *
 * The loss: squared errors of compressed spectra, 2 times those of real and imaginary parts and 5 times those of magnitudes, plus the scale-invariant
 * ratio of error to signal in tenths of its decibels, which is what the result is judged by.
 * Source of the three parts: Rong et al. 2024, GTCRN (ICASSP), whose weights are 30 and 70; in a trial of 90 s those gained 0.7 dB less than 3 and 7. Of the
 * ratio: Le Roux et al. 2019, arXiv 1811.02508.
 * @throws ArgumentError for a model of another kind
 */
export function denoiseObjective(
  model: Model,
  { recompute = false }: { readonly recompute?: boolean } = {},
): Trainable {
  const { head } = model.resolved;
  if (head.kind !== "denoising")
    throw new ArgumentError(`denoiseObjective: the head must be of kind denoising, got ${head.kind}`);
  const framing = framingOf(head);
  const { window, hop } = framing;
  const lossOf = (batch: TrainingBatch, training: boolean, rng?: Parameters<Trainable["loss"]>[1]["rng"]): Tensor =>
    tidy(() => {
      const { backend } = model;
      const spectra = spectraOn(backend, framing);
      const [b, n] = batch.shape as [number, number];
      const noisy = spectra.spectrum(spectra.frames(tensor(batch.inputs, [b, n], { backend })));
      const clean = tensor(batch.targets as Float32Array, [b, n], { backend });
      const target = spectra.spectrum(spectra.frames(clean));
      const features = spectra.features(noisy);
      const answer = model.forward(features, { recompute, ...(training && rng && { rng }) }).output;
      const masked = spectra.masked(noisy, answer);
      const said = spectra.overlapped(spectra.backToFrames(masked));
      const edge = window - hop; // what lacks a frame
      const within = (x: Tensor): Tensor => sliceAxis(x, 1, edge, n - 2 * edge);
      return add(spectralLoss(spectra, masked, target), errorRatio(within(said), within(clean)));
    });
  return {
    parameters: model.parameters,
    loss: (batch, { rng }) => lossOf(batch, true, rng),
    measure: (batch) => ({ loss: lossOf(batch, false) }),
  };
}

function spectralLoss(spectra: Spectra, said: Complex, target: Complex): Tensor {
  const [a, b] = [spectra.compressed(said), spectra.compressed(target)];
  const error = (name: "size" | "re" | "im"): Tensor => mean(square(sub(a[name], b[name])));
  return add(mul(add(error("re"), error("im")), PARTS_WEIGHT), mul(error("size"), SIZE_WEIGHT));
}

/** The mean over rows of log10 of the error's energy over that of the signal in it; minus a tenth of SI-SDR. @param said, clean [b, n] */
function errorRatio(said: Tensor, clean: Tensor): Tensor {
  const rows = [said.shape[0]!, 1];
  const energy = reshape(add(sum(square(clean), 1), LEAST_ENERGY), rows);
  const scale = div(reshape(sum(mul(said, clean), 1), rows), energy);
  const signal = mul(clean, scale);
  const error = add(sum(square(sub(said, signal)), 1), LEAST_ENERGY);
  return mul(mean(log(div(error, add(sum(square(signal), 1), LEAST_ENERGY)))), Math.LOG10E);
}
