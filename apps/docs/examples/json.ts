import { isJsonObject, memorySource, parseStrictJson, parseStrictJsonBytes, quote, readJson } from "@statespace/files";

console.log(parseStrictJson('{"a": [1, 2]}', { what: "note" }), isJsonObject([])); // false: a list is none
console.log(parseStrictJsonBytes(new TextEncoder().encode("true"), { what: "note" }), quote('a "word"\n'));
console.log(await readJson(memorySource({ "config.json": '{"n_layer": 2}' }), "config.json"));
try {
  parseStrictJson('{"a": 1, "a": 2}', { what: "note" });
} catch (error) {
  console.log((error as Error).message); // a key that is there twice
}
