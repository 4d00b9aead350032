export { convert, type ConvertOptions, type Converted } from "./convert.ts";
export { load, type LoadModelOptions } from "./load.ts";
export { LoadedModel, type AdapterName, type LoadedChatOptions, type LoadedParts } from "./loadedModel.ts";
export type { InspectOptions, Look, Values } from "./look.ts";
export { predict, type Prediction, type PredictOptions } from "./predict.ts";
export { flatSequence, type FlatSequence, type SequenceInput } from "./sequences.ts";
export { checkedTimes, gapsOf, usualGap, type Times } from "./times.ts";
