import {
  encodeNucleotides,
  fastaRecords,
  formatFasta,
  formatWav,
  nucleotideSymbols,
  parseFasta,
  parseWav,
} from "@statespace/datasets";

const [record] = parseFasta(">gene a note\nACG\nTNA\n");
console.log(record, encodeNucleotides(record!.sequence), nucleotideSymbols); // ids: N A C G T
for await (const { id } of fastaRecords(new TextEncoder().encode(formatFasta([record!], 3)))) console.log(id);
const { sampleRate, samples } = parseWav(
  formatWav({ sampleRate: 8000, channels: 1, samples: Float32Array.of(0, 0.5) }),
);
console.log(sampleRate, samples);
