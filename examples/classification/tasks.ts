import {
  listOps,
  listOpsSymbols,
  loadDigits,
  loadFixture,
  loadIdxFolder,
  orderedBatches,
  permutePixels,
  shuffledBatches,
  splitDataset,
  streamTask,
  type ArrayDataset,
  type BatchStream,
} from "@statespace/datasets";
import type { ModelConfig, TrainingBatch } from "@statespace/models";
import { spokenDigits } from "./spokenDigits.ts";

/** Sequences of one kind with a class each: to learn from, to choose the learning rate by, and to be judged on. */
export interface ClassificationTask {
  readonly encoder: ModelConfig["encoder"];
  readonly seqLen: number;
  readonly about: string;
  /** Updates of a whole run. */
  readonly steps: number;
  training(batchSize: number, seed: number): BatchStream;
  validation(): readonly TrainingBatch[];
  test(): readonly TrainingBatch[];
}

interface Parts {
  readonly train: ArrayDataset;
  readonly validation: ArrayDataset;
  readonly test: ArrayDataset;
}

/** How the tasks are named, and made. */
export const tasks: Readonly<Record<string, () => Promise<ClassificationTask>>> = {
  digits: async () => {
    const parts = splitDataset(await loadDigits(await loadFixture("digits.csv.gz")), {
      validation: 200,
      test: 400,
      seed: 1,
    });
    return ofParts(parts, 1000, "handwritten digits of 8 by 8 pixels (UCI), pixel by pixel");
  },
  images: async () => ofParts(await mnist(halved), 1000, "MNIST at half its size, 14 by 14, pixel by pixel"),
  permuted: async () =>
    ofParts(await mnist((images) => permutePixels(halved(images), 1)), 1000, "the same pixels in one random order"),
  pixels: async () => ofParts(await mnist((images) => images), 1500, "MNIST at its own size, pixel by pixel"),
  permutedPixels: async () =>
    ofParts(await mnist((images) => permutePixels(images, 1)), 1500, "those pixels in one random order"),
  listOps: async () => ofListOps(),
  spoken: async () => {
    return ofParts(
      await spokenDigits(),
      800,
      "digits spoken by espeak-ng in noise 5 dB below, held out by speaker and accent, 20 bands each 16 ms",
    );
  },
};

function ofParts({ train, validation, test }: Parts, steps: number, what: string): ClassificationTask {
  const [seqLen, channels] = train.inputShape as [number, number];
  return {
    encoder: { kind: "linear", channels },
    seqLen,
    steps,
    about: `${what}; ${train.length} to learn from, ${validation.length} to choose by, ${test.length} held out`,
    training: (batchSize, seed) => shuffledBatches(train, { batchSize, seed }),
    validation: () => [...orderedBatches(validation, 50)],
    test: () => [...orderedBatches(test, 50)],
  };
}

/** MNIST's 10,000 that `fetch-data mnist` brings. */
async function mnist(change: (images: Images) => Images): Promise<Parts> {
  const { train: all, test } = await loadIdxFolder(new URL("../../.data/mnist", import.meta.url));
  const { train, validation } = splitDataset(change(all), { validation: 1000, test: 0, seed: 1 });
  return { train, validation, test: change(test) };
}

type Images = Awaited<ReturnType<typeof loadDigits>>;

/** Each pixel the mean of four. */
function halved(images: Images): Images {
  const side = Math.sqrt(images.inputShape[0]!);
  const half = side / 2;
  const inputs = new Float32Array(images.length * half * half);
  for (let image = 0; image < images.length; image++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        inputs[(image * half + (y >> 1)) * half + (x >> 1)]! += images.inputs[(image * side + y) * side + x]! / 4;
  return { ...images, inputs, inputShape: [half * half, 1] };
}

function ofListOps(): ClassificationTask {
  const task = listOps({ minLen: 32, maxLen: 128 });
  const held = (split: "validation" | "test", rows: number): TrainingBatch[] => {
    const stream = streamTask(task, { batchSize: 50, seed: 1, split });
    return Array.from({ length: rows / 50 }, () => stream.nextBatch());
  };
  return {
    encoder: { kind: "embedding", vocabSize: listOpsSymbols.length },
    seqLen: 128,
    steps: 1200,
    about: "ListOps of 32 to 128 symbols, drawn anew for each update; 500 to choose by, 2,000 held out",
    training: (batchSize, seed) => streamTask(task, { batchSize, seed }),
    validation: () => held("validation", 500),
    test: () => held("test", 2000),
  };
}
