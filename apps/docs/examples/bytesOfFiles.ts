import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeUtf8,
  fileStamps,
  isNode,
  loadBytes,
  loadText,
  localFiles,
  makeFolder,
  sha256Hex,
  sourceName,
} from "@statespace/files";
import {
  storeBytes,
  storedBytes,
  streamBytes,
  toPath,
  writeFileAtomically,
  writeFileResumably,
} from "@statespace/files";

const folder = join(await mkdtemp(join(tmpdir(), "files-")), "deep");
await makeFolder(folder);
const file = join(folder, "note.txt");
await writeFileAtomically(file, [new TextEncoder().encode("whole or "), new TextEncoder().encode("not at all")]);
console.log(await loadText(file), (await loadBytes(file)).length, sourceName(file), toPath(file) === file, isNode());
for await (const piece of streamBytes(file)) console.log(decodeUtf8(piece, "note.txt"));
console.log(
  (await sha256Hex(await loadBytes(file))).slice(0, 8),
  (await fileStamps(folder)).length,
  typeof (await localFiles()),
);
await storeBytes(join(folder, "kept"), Uint8Array.of(1, 2));
console.log(await storedBytes(join(folder, "kept")), typeof writeFileResumably); // the last goes on where it was killed
