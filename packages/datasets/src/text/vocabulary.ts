import { ArgumentError, FormatError } from "@statespace/core";

/** Text to ids and back. `decode(encode(text))` is `text` for every text the vocabulary can hold. */
export interface Tokenizer {
  readonly vocabSize: number;
  /** Errors: `ArgumentError` for what the vocabulary cannot hold. */
  encode(text: string): Int32Array;
  /** Errors: `ArgumentError` for an id outside the vocabulary. */
  decode(ids: ArrayLike<number>): string;
}

/**
 * The 256 bytes of UTF-8. Holds every text; bytes that are no UTF-8 decode to U+FFFD.
 */
export function byteVocabulary(): Tokenizer {
  return {
    vocabSize: 256,
    encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
    decode(ids) {
      checkIds("byteVocabulary", ids, 256);
      return new TextDecoder().decode(Uint8Array.from(ids));
    },
  };
}

/** A vocabulary of code points; `characters` in the order of their ids is all there is to save. */
export interface CharacterVocabulary extends Tokenizer {
  readonly characters: readonly string[];
}

/**
 * The distinct code points of a text, in order of code point, so that the order of the text does not matter.
 * Errors: `ArgumentError` for empty text.
 */
export function characterVocabulary(text: string): CharacterVocabulary {
  if (text === "") throw new ArgumentError("characterVocabulary: text must not be empty");
  const points = new Set<number>();
  for (const character of text) points.add(character.codePointAt(0) as number);
  return restoreCharacterVocabulary([...points].sort((p, q) => p - q).map((point) => String.fromCodePoint(point)));
}

/** A vocabulary from its saved `characters`. Errors: `FormatError` where one is no single code point or occurs twice. */
export function restoreCharacterVocabulary(characters: readonly string[]): CharacterVocabulary {
  const ids = new Map<string, number>();
  for (const [id, character] of characters.entries()) {
    if (typeof character !== "string" || [...character].length !== 1)
      throw new FormatError(
        `characterVocabulary: entry ${id} must be one code point, got ${JSON.stringify(character)}`,
      );
    if (ids.has(character)) throw new FormatError(`characterVocabulary: ${JSON.stringify(character)} occurs twice`);
    ids.set(character, id);
  }
  return {
    characters: [...characters],
    vocabSize: characters.length,
    encode: (text) =>
      Int32Array.from([...text], (character, place) => {
        const id = ids.get(character);
        if (id === undefined)
          throw new ArgumentError(
            `characterVocabulary: ${JSON.stringify(character)} at ${place} is not in the vocabulary`,
          );
        return id;
      }),
    decode(list) {
      checkIds("characterVocabulary", list, characters.length);
      return Array.from(list, (id) => characters[id]).join("");
    },
  };
}

/** Errors: `ArgumentError` unless every id is an integer in [0, vocabSize). */
export function checkIds(where: string, ids: ArrayLike<number>, vocabSize: number): void {
  for (let i = 0; i < ids.length; i++) {
    if (!Number.isInteger(ids[i]) || ids[i] < 0 || ids[i] >= vocabSize) {
      throw new ArgumentError(`${where}: id ${i} must be an integer in [0, ${vocabSize}), got ${ids[i]}`);
    }
  }
}
