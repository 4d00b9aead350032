export * from "./capture.ts";
export * from "./create.ts";
export * from "./gradients.ts";
export * from "./parameter.ts";
export { runComposite, runKernel } from "./run.ts";
export { keep, tidy } from "./scope.ts";
export { isRecording as isRecordingGradients, noGrad, type GradientRule } from "./tape.ts";
export { memory, Tensor } from "./tensor.ts";
