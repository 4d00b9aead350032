import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByteTokenizer } from "statespace";
import { readClassFolder } from "@statespace/datasets";

const folder = await mkdtemp(join(tmpdir(), "letters-"));
for (const [kind, text] of [
  ["praise", "well done"],
  ["blame", "not so good"],
] as const) {
  await mkdir(join(folder, kind));
  await writeFile(join(folder, kind, "1.txt"), text);
}
const { classes, targets } = await readClassFolder(folder, { tokenizer: new ByteTokenizer() });
console.log(classes, targets); // a folder a class
