import { cpuBackend, setBackend } from "statespace";
import { noiseKinds, randomNoise, resample } from "@statespace/datasets";
import { Rng } from "@statespace/core";
import { Denoiser, denoiseObjective, type DenoiserStream, featuresOf, framingOf, Model } from "@statespace/models";

await setBackend(cpuBackend());
const framing = framingOf({ sampleRate: 4000, window: 64 });
const model = new Model({
  dModel: 8,
  encoder: { kind: "linear", channels: featuresOf(framing) },
  layers: [{ kind: "mamba2", headDim: 8, dState: 4 }],
  head: { kind: "denoising", ...framing },
});
const noise = randomNoise(new Rng(1), { length: 1600, kinds: noiseKinds, sampleRate: 16_000 });
const denoiser = new Denoiser(model);
const stream: DenoiserStream = denoiser.stream();
console.log((await denoiser.denoise(resample(noise, 16_000, 4000))).length, stream.push(noise).length);
console.log(denoiseObjective(model).parameters.length);
