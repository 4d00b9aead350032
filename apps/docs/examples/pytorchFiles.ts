import { openPytorch, openSource } from "@statespace/files";

const file = await openPytorch(openSource("./model"), "pytorch_model.bin"); // read as data: no code of the file runs
console.log(
  file === undefined ? "there is none in this folder: its weights are safetensors" : [...file.entries.keys()],
);
