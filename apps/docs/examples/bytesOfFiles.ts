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
  zipBlob,
} from "@statespace/files";

const folder = join(await mkdtemp(join(tmpdir(), "files-")), "deep");
await makeFolder(folder);
const file = join(folder, "note.txt");
await writeFileAtomically(file, [new TextEncoder().encode("whole or "), new TextEncoder().encode("not at all")]);
console.log(await loadText(file), (await loadBytes(file)).length, sourceName(file), toPath(file) === file, isNode());
for await (const piece of streamBytes(file)) console.log(decodeUtf8(piece, "note.txt"));
console.log((await sha256Hex(await loadBytes(file))).slice(0, 8), (await fileStamps(folder)).length);
const files = localFiles(); // the same calls in Node, Bun and Deno
console.log(await files.entries(folder), await files.size(file));
await storeBytes(join(folder, "kept"), Uint8Array.of(1, 2));
console.log(await storedBytes(join(folder, "kept")));
// what takes long, a piece at a time: the next call with this identity goes on behind the last piece that is whole
const pieces = [0, 4].map((start) => ({
  name: `piece at ${start}`,
  start,
  byteLength: 4,
  chunks: () => [Uint8Array.of(start, 1, 2, 3)],
}));
const stop = new AbortController();
const options = { identity: "eight bytes", signal: stop.signal, progress: () => stop.abort() };
await writeFileResumably(join(folder, "long"), pieces, options).catch((error) => console.log(error.name));
console.log(await writeFileResumably(join(folder, "long"), pieces, { identity: "eight bytes" }), "bytes were there");
const archive = await zipBlob([["note.txt", await loadBytes(file)]]); // for a page to offer as a download
console.log(archive.type, archive.size);
