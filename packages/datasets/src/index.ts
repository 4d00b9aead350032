export { fingerprint } from "./fingerprint.ts";
export { IGNORE_INDEX } from "./batch.ts";
export type {
  ArrayDataset,
  Batch,
  BatchStream,
  ClassificationBatch,
  DatasetFile,
  DatasetInfo,
  JsonValue,
  Numbers,
  SignalBatch,
  Split,
  TokenBatch,
} from "./batch.ts";

export { streamTask } from "./synthetic/task.ts";
export type { Task, TaskStreamOptions } from "./synthetic/task.ts";
export { copying, selectiveCopying } from "./synthetic/copying.ts";
export type { CopyingOptions } from "./synthetic/copying.ts";
export { inductionHeads, streamInductionHeads } from "./synthetic/inductionHeads.ts";
export type { InductionHeadsOptions, InductionStreamOptions } from "./synthetic/inductionHeads.ts";
export { associativeRecall } from "./synthetic/associativeRecall.ts";
export type { AssociativeRecallOptions } from "./synthetic/associativeRecall.ts";
export { parity } from "./synthetic/parity.ts";
export { modularArithmetic } from "./synthetic/modularArithmetic.ts";
export type { ModularArithmeticOptions, ModularArithmeticTask } from "./synthetic/modularArithmetic.ts";
export { addingProblem, delay } from "./synthetic/addingAndDelay.ts";
export type { DelayOptions } from "./synthetic/addingAndDelay.ts";
export { listOps, listOpsSymbols } from "./synthetic/listOps.ts";
export type { ListOpsOptions } from "./synthetic/listOps.ts";
export { maze, mazeActions } from "./synthetic/maze.ts";
export type { MazeOptions, MazeTask } from "./synthetic/maze.ts";
export { randomSeries } from "./synthetic/randomSeries.ts";
export type { RandomSeriesOptions } from "./synthetic/randomSeries.ts";
export { noiseKinds, randomNoise } from "./synthetic/randomNoise.ts";
export type { NoiseKind, RandomNoiseOptions } from "./synthetic/randomNoise.ts";
export { bandLimitedNoise, chirp, lorenz, mackeyGlass, sines } from "./synthetic/signals.ts";
export type { LorenzOptions, MackeyGlassOptions, NoiseOptions, SineOptions } from "./synthetic/signals.ts";

export { loadFixture } from "./fixtures.ts";
export { fetchedFiles, fixtureFiles, realDatasets } from "./catalogue.ts";
export type { FetchName, FixtureName } from "./catalogue.ts";

export { formatIdx, parseIdx } from "./formats/idx.ts";
export type { IdxArray, IdxData } from "./formats/idx.ts";
export { parseCsv } from "./formats/csv.ts";
export type { CsvOptions } from "./formats/csv.ts";
export { encodeNucleotides, formatFasta, nucleotideSymbols, parseFasta } from "./formats/fasta.ts";
export type { FastaRecord } from "./formats/fasta.ts";
export { formatWav, parseWav } from "./formats/wav.ts";
export type { Sound } from "./formats/wav.ts";
export { resample } from "./formats/resample.ts";

export {
  assembleImages,
  fashionMnistInfo,
  imageClasses,
  loadIdxFolder,
  loadIdxImages,
  mnistInfo,
  parseMnistJson,
  permutePixels,
} from "./real/mnist.ts";
export type { IdxImagesOptions, ImageDataset } from "./real/mnist.ts";
export { digitsInfo, loadDigits } from "./real/digits.ts";
export { forecastWindows, loadTimeSeries } from "./real/timeSeries.ts";
export type { ForecastDataset, ForecastOptions, Standardisation, TimeSeries } from "./real/timeSeries.ts";

export { linesOf, type Line, type StreamOptions } from "./sequences/lines.ts";
export { csvRecords, type CsvRecord } from "./sequences/csvRecords.ts";
export {
  readCsvSequences,
  readCsvSeries,
  type CsvSequenceOptions,
  type CsvSeriesOptions,
} from "./sequences/csvSequences.ts";
export { readJsonSequences } from "./sequences/jsonSequences.ts";
export {
  fastaRecords,
  imageRows,
  readFastaSequences,
  readWavSequences,
  type FastaSequenceOptions,
  type LabelledSound,
} from "./sequences/fileSequences.ts";
export { readClassFolder, type ClassFolderOptions } from "./sequences/classFolder.ts";
export type { Sequences } from "./sequences/sequences.ts";

export { orderedBatches, shuffledBatches, takeExamples } from "./batching/shuffledBatches.ts";
export type { ShuffleOptions } from "./batching/shuffledBatches.ts";
export { splitDataset, splitText } from "./batching/splitDataset.ts";
export type { SplitOptions, TextParts } from "./batching/splitDataset.ts";
export { contiguousBatches, evaluationBatches, randomCrops } from "./batching/contiguousBatches.ts";
export type { SequenceOptions } from "./batching/contiguousBatches.ts";
export { packDocuments, padDocuments } from "./batching/packDocuments.ts";
export type { PackOptions } from "./batching/packDocuments.ts";
export { prefetch, prefetchBatches } from "./batching/prefetch.ts";
export type { PrefetchedBatches, PrefetchOptions } from "./batching/prefetch.ts";
