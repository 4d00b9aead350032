export * from "./capture.ts";
export {
  full,
  ones,
  packedWeight,
  packWeight,
  range,
  readFloats,
  readInts,
  readPacked,
  scalar,
  sizeOfShape,
  tensor,
  writeInto,
  zeros,
  type PlaceOptions,
  type TensorOptions,
} from "./create.ts";
export * from "./gradients.ts";
export * from "./parameter.ts";
export { recompute } from "./recompute.ts";
export { runComposite, runKernel } from "./run.ts";
export { disposeOnThrow, keep, tidy } from "./scope.ts";
export { isDifferentiated, isRecording as isRecordingGradients, noGrad, rehearse, type GradientRule } from "./tape.ts";
export { memory, Tensor } from "./tensor.ts";
export { WeightWriter } from "./weightWriter.ts";
