import { bundledCheckpoint, ByteTokenizer, loadTokenizer, trainBpe } from "statespace";
import {
  BpeTokenizer,
  byteCharacters,
  CharTokenizer,
  HuggingFaceTokenizer,
  parseTokenizer,
  tokenizerFiles,
} from "@statespace/text";

console.log(new ByteTokenizer().encode("né"), CharTokenizer.fromText("hello").encode("hole"));
const bpe = trainBpe("the cat sat on the mat", { vocabSize: 262 });
console.log(bpe instanceof BpeTokenizer, bpe.symbol(257), byteCharacters()[32]); // a space is written as a letter of its own
const files = tokenizerFiles(bpe); // tokenizer.json and tokenizer_config.json, which transformers reads too
const again = await parseTokenizer(files["tokenizer.json"]!, files["tokenizer_config.json"]);
console.log(
  again.decode(again.encode("the cat")),
  (await loadTokenizer(bundledCheckpoint()))?.vocabSize,
  HuggingFaceTokenizer.name,
);
