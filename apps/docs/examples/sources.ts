import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledCheckpoint } from "statespace";
import {
  cachedSource,
  directoryCache,
  folderSource,
  memorySource,
  openCache,
  openSource,
  sha256Hex,
} from "@statespace/files";
import { urlSource, verifiedSource } from "@statespace/files";

const folder = openSource(bundledCheckpoint()); // a path, a URL, a name on the hub, files
console.log((await folder.read("config.json"))!.length, (await folder.read("no-such-file")) ?? "not there");
const files = memorySource({ "config.json": '{"a": 1}' });
const cache = directoryCache(await mkdtemp(join(tmpdir(), "cache-")));
console.log((await cachedSource(files, cache).read("config.json"))!.length); // kept for the next time
const sha256 = await sha256Hex(new TextEncoder().encode('{"a": 1}'));
console.log((await verifiedSource(files, { "config.json": { sha256 } }).read("config.json"))!.length);
console.log(await folderSource(import.meta.dirname).read("no-such-file")); // undefined, as of every source
// a server's files; the fetcher can be yours
const answered = async () => new Response('{"b": 2}');
const served = urlSource("https://example.org/model/", { fetch: answered });
console.log(new TextDecoder().decode((await cachedSource(served, cache).read("config.json"))!));
const own = await openCache(); // this user's: a folder of the system's cache folder, in a page its private file system
console.log((await own.match("no-such-file")) ?? "not kept");
