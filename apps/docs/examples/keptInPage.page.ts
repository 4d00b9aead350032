import { handleCache, handleSource, memorySource, cachedSource, writeHandleFile } from "@statespace/files";
import { handleShelf, pageShelf } from "@statespace/models";

const root = await navigator.storage.getDirectory(); // the page's private file system; or showDirectoryPicker()
const folder = await root.getDirectoryHandle("docs", { create: true });
await writeHandleFile(folder, "config.json", async (file) => {
  await file.write('{"n_layer": 2}');
  await file.close(); // now it is in its place
});
console.log(new TextDecoder().decode((await handleSource(folder).read("config.json"))!));
const kept = cachedSource(memorySource({ "model.bin": Uint8Array.of(1, 2, 3) }), handleCache(folder));
console.log((await kept.read("model.bin"))!.length, "bytes, kept over a reload");
console.log(typeof handleShelf(folder), typeof (await pageShelf("states"))); // where a StateStore keeps states
