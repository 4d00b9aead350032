/** A piece of a file that can be made without those before it: a header, a tensor. */
export interface FileSection<Chunk = Uint8Array | Promise<Uint8Array>> {
  /** What it is, for who is told of progress. */
  readonly name: string;
  /** Where in the file it begins. */
  readonly start: number;
  readonly byteLength: number;
  /** Its bytes in order, each part made when it is its turn. */
  chunks(): Iterable<Chunk>;
}

/** The bytes of all sections, one after the other. */
export function* chunksOf<Chunk>(sections: readonly FileSection<Chunk>[]): Generator<Chunk, void, undefined> {
  for (const section of sections) yield* section.chunks();
}
