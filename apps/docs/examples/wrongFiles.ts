import { AbortedError } from "statespace";
import { asAborted, asStorageFull, impostor, SourceError, StorageFullError, throwIfAborted } from "@statespace/files";

const bytes = (text: string) => new TextEncoder().encode(text);
console.log(impostor(bytes("version https://git-lfs.github.com/spec/v1\n"))); // a pointer in a file's place
console.log(impostor(bytes("<!doctype html><html>")), impostor(bytes("just text")));
const full = asStorageFull(Object.assign(new Error("no space left"), { code: "ENOSPC" }), "model.safetensors");
console.log(full instanceof StorageFullError, full instanceof SourceError);
const signal = AbortSignal.abort();
try {
  throwIfAborted(signal, "loading");
} catch (error) {
  console.log(
    error instanceof AbortedError,
    asAborted(new Error("socket closed"), signal, "loading") instanceof AbortedError,
  );
}
