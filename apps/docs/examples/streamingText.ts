import { ByteTokenizer } from "statespace";
import { StopFilter, StreamDecoder } from "@statespace/text";

const decoder = new StreamDecoder(new ByteTokenizer(), { stop: ["END"] });
for (const id of new ByteTokenizer().encode("😀 fine END not this")) process.stdout.write(decoder.push(id)); // whole characters only
console.log("\nstopped at", decoder.stopString);
const filter = new StopFilter(["</s>"]);
console.log(filter.push("text <") + filter.push("/s> more"), filter.found); // "text "
