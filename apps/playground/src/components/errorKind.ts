export type ErrorKind =
  | "backend"
  | "lost"
  | "memory"
  | "storage"
  | "elsewhere"
  | "format"
  | "network"
  | "chunk"
  | "fault"
  | "other";

const kinds: Readonly<Record<string, ErrorKind>> = {
  BackendError: "backend",
  DeviceLostError: "lost",
  OutOfMemoryError: "memory",
  StorageFullError: "storage",
  BusyElsewhereError: "elsewhere",
  FormatError: "format",
  SourceError: "network",
  ChunkError: "chunk",
  // slips of the page's own code, and a worker that died of one
  TypeError: "fault",
  ReferenceError: "fault",
  WorkerError: "fault",
};

/** A RangeError may be anything out of a range; only this is a lack of memory. */
const NO_ROOM = /allocat|out of memory|array (buffer )?length|array buffer/i;

/** What an error is about, in the words of `shell().errors`. */
export function errorKind({ name, message }: { readonly name: string; readonly message: string }): ErrorKind {
  if (name === "RangeError") return NO_ROOM.test(message) ? "memory" : "fault";
  return Object.hasOwn(kinds, name) ? kinds[name]! : "other";
}
