import { trainBpe } from "statespace";
import { ggufTextFiles, ggufTextValues, tokenizerFiles } from "@statespace/text";

const bpe = trainBpe("the cat sat on the mat", { vocabSize: 262 });
const values = ggufTextValues(tokenizerFiles(bpe), bpe.vocabSize); // what a GGUF file says of a tokenizer
console.log(values["tokenizer.ggml.model"]);
console.log(Object.keys(ggufTextFiles(new Map(Object.entries(values)) as never)));
