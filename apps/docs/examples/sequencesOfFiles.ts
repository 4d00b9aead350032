import {
  readCsvSequences,
  readCsvSeries,
  readFastaSequences,
  readJsonSequences,
  readWavSequences,
  formatWav,
} from "@statespace/datasets";

const file = (text: string) => new TextEncoder().encode(text);
const csv = "who,speed,kind\na,1,walk\na,2,walk\nb,9,run\n";
const walks = await readCsvSequences(file(csv), {
  sequence: "who",
  inputs: ["speed"],
  target: "kind",
  per: "sequence",
});
console.log(walks.inputs, walks.classes, walks.targets); // what `fit` takes
console.log((await readCsvSeries(file(csv), { columns: ["speed"] })).series);
console.log((await readJsonSequences(file('{ "input": [1, 2], "target": 0 }\n'))).inputs);
console.log((await readFastaSequences(file(">x human\nACGT\n"))).inputs);
const sound = formatWav({ sampleRate: 8000, channels: 1, samples: Float32Array.of(0, 0.5, -0.5) });
console.log((await readWavSequences([{ source: sound, target: "click" }])).inputs[0]);
