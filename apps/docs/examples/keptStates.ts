import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledCheckpoint, load } from "statespace";
import { folderShelf, memoryShelf, StateStore } from "@statespace/models";

const lm = await load(bundledCheckpoint(), { backend: "cpu" });
const store = await new StateStore({ shelf: folderShelf(await mkdtemp(join(tmpdir(), "states-"))) }); // or StateStore.open("states")
for (const text of ["The state of the Union", "The state of the Union is strong"]) {
  const session = await lm.session({ store }).read(text);
  console.log(session.cachedTokens, "of", session.ids.length, "tokens were not read again");
  for await (const piece of session.stream({ maxNewTokens: 2 })) process.stdout.write(piece);
}
console.log(store.stats);
const shelf = memoryShelf(); // what a shelf is: four calls, for a place of your own
await shelf.put("first", Uint8Array.of(4, 5, 6));
console.log(await shelf.get("first"), (await shelf.list()).length);
