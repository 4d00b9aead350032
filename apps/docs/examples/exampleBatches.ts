import {
  digitsInfo,
  loadDigits,
  loadFixture,
  orderedBatches,
  permutePixels,
  shuffledBatches,
} from "@statespace/datasets";
import { splitDataset, takeExamples } from "@statespace/datasets";

const digits = await loadDigits(await loadFixture("digits.csv.gz"));
console.log(digitsInfo.name, digitsInfo.licence, digits.length);
const { train, test } = splitDataset(digits, { validation: 100, test: 100, seed: 1 });
console.log(shuffledBatches(train, { batchSize: 8, seed: 1 }).nextBatch().shape); // endless, each example once an epoch
console.log([...orderedBatches(test, 32)].length, takeExamples(test, [0, 1]).targets);
console.log(permutePixels(digits, 1).info.name); // the same disorder for every image
