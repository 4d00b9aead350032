import { existsSync } from "node:fs";
import { removeFile, storeBytes } from "@statespace/files";

await storeBytes("note.bin", Uint8Array.of(1));
await removeFile("note.bin");
await removeFile("note.bin"); // one that is not there is no error
console.log(existsSync("note.bin")); // false
