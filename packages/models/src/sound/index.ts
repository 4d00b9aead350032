export { denoiseObjective } from "./denoiseObjective.ts";
export { Denoiser, type DenoiserStream } from "./denoiser.ts";
export { featuresOf, framingOf, type FramingConfig } from "./framing.ts";
