import {
  fetchedFiles,
  fingerprint,
  fixtureFiles,
  parity,
  prefetch,
  prefetchBatches,
  realDatasets,
  streamTask,
} from "@statespace/datasets";

for await (const each of prefetch([1, 2, 3], 2)) console.log(each); // two are read ahead
const batches = prefetchBatches(streamTask(parity(), { batchSize: 2, seed: 1 }));
for await (const { inputs } of batches) {
  console.log(fingerprint(inputs), JSON.stringify(batches.state()).length > 0); // tells data apart; where a run goes on
  break;
}
console.log(
  realDatasets.map(({ name, licence }) => `${name}: ${licence}`),
  Object.keys(fixtureFiles),
  Object.keys(fetchedFiles),
);
