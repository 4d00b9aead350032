import { ByteTokenizer } from "statespace";
import {
  contiguousBatches,
  evaluationBatches,
  loadFixture,
  packDocuments,
  padDocuments,
  randomCrops,
  splitText,
} from "@statespace/datasets";

const tokenizer = new ByteTokenizer();
const text = new TextDecoder().decode(await loadFixture("moby-dick-opening.txt"));
const { train, validation } = splitText(text, { validation: 0.1, test: 0.1 });
const ids = tokenizer.encode(train);
const sizes = { batchSize: 4, seqLen: 64 };
console.log(randomCrops(ids, { ...sizes, seed: 1 }).nextBatch().shape); // from random places
console.log(contiguousBatches(ids, sizes).nextBatch().shape); // long stretches: the state goes on from batch to batch
const documents = train.split("\n\n").map((document) => tokenizer.encode(document));
console.log(
  packDocuments(documents, { ...sizes, seed: 1 })
    .nextBatch()
    .seqIdx?.slice(0, 64),
); // several in a row, told apart
console.log(padDocuments(documents.slice(0, 3)).shape); // one a row, padded to the longest
console.log([...evaluationBatches(tokenizer.encode(validation), 64)].length, "batches judge each token once");
