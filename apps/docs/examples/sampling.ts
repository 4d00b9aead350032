import { cpuBackend, readInts, setBackend, tensor, zeros } from "statespace";
import { sampleSettings, sampleStreams, sampleToken } from "@statespace/core/ops";

await setBackend(cpuBackend());
const logits = tensor([0, 1, 5, 2], [1, 4]);
const settings = tensor(sampleSettings({ temperature: 0.8, topP: 0.95 }), [1, 8]);
const random = tensor(sampleStreams(7, 1), [1, 4], "int32");
const id = zeros([1], "int32");
for (let token = 0; token < 5; token++) {
  sampleToken({ logits, settings, random, id }); // id and random change in place
  console.log(await readInts(id));
}
