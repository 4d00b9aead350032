import { layoutPytorch, memorySource, openPytorch } from "@statespace/files";

const tensors = new Map([["w", { shape: [2], values: Float32Array.of(1, 2) }]]);
const parts: Uint8Array<ArrayBuffer>[] = [];
for (const part of layoutPytorch(tensors).chunks()) parts.push(await part); // what torch.load reads
const source = memorySource({ "pytorch_model.bin": new Uint8Array(await new Blob(parts).arrayBuffer()) });
const file = (await openPytorch(source, "pytorch_model.bin"))!; // read as data: no code of the file runs
console.log([...file.entries.keys()], (await file.read("w")).shape); // w; [2]
