/** Where a `StateStore` keeps its pieces, as bytes by name. Names are letters, digits, `-` and `.`. */
export interface StateShelf {
  /** Everything that is there. */
  list(): Promise<readonly ShelfEntry[]>;
  /** What lies under a name. @throws nothing for one that is not there: undefined. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Appears whole or not at all, also where the program ends in the middle. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A piece on a shelf. */
export interface ShelfEntry {
  readonly name: string;
  readonly bytes: number;
  /** Its first bytes, at least so many as were asked for, or all. */
  head(length: number): Promise<Uint8Array>;
}

/** A shelf in memory: what is on it ends with the program. */
export function memoryShelf(): StateShelf {
  const kept = new Map<string, Uint8Array>();
  return {
    list: async () =>
      [...kept].map(([name, bytes]) => ({
        name,
        bytes: bytes.length,
        head: async (length) => bytes.subarray(0, length),
      })),
    get: async (name) => kept.get(name),
    put: async (name, bytes) => void kept.set(name, bytes),
    remove: async (name) => void kept.delete(name),
  };
}
