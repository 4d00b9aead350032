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
// where a StateStore keeps states: a folder of the page's own, or one that it has a handle of
for (const shelf of [await pageShelf("states"), handleShelf(folder)]) {
  await shelf.put("first", Uint8Array.of(4, 5, 6));
  console.log((await shelf.get("first"))!.length, (await shelf.list()).length);
}
