import type { TokenizerJson } from "./tokenizerJson.ts";

/** What is used of the model inside a `Tokenizer` of `@huggingface/tokenizers`. */
interface LibraryModel {
  encode(pieces: string[]): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
}

/** What is used of its decoder; a sequence has others inside. */
interface LibraryDecoder {
  readonly config: Readonly<Record<string, unknown>>;
  readonly decoders?: readonly LibraryDecoder[];
  decode_chain(tokens: string[]): string[];
}

interface LibraryParts {
  readonly model: LibraryModel;
  readonly decoder: LibraryDecoder | null;
}

/** Makes the library follow its description where it leaves something out. @param library a `Tokenizer` of it, built from this file */
export function fillGaps(library: object, json: TokenizerJson): void {
  const { model, decoder } = library as LibraryParts;
  addByteFallback(model, json);
  if (decoder) mendMetaspace(decoder);
}

/** The library drops one space of a text's first token; Rust's drops all, or none where the file says that none was put there. */
function mendMetaspace(decoder: LibraryDecoder): void {
  decoder.decoders?.forEach(mendMetaspace);
  const { type, replacement, prepend_scheme: scheme, add_prefix_space: older } = decoder.config;
  if (type !== "Metaspace") return;
  const kept = scheme === undefined ? older === false : scheme === "never";
  const mark = typeof replacement === "string" ? replacement : "\u2581";
  decoder.decode_chain = (tokens) => tokens.map((token, i) => token.replaceAll(mark, i === 0 && !kept ? "" : " "));
}

/** Spells what the vocabulary of a Unigram model lacks in bytes, where the file says so (`byte_fallback`); the library does that for BPE alone. */
function addByteFallback(model: LibraryModel, json: TokenizerJson): void {
  const { type, byte_fallback: wanted } = json.model as Readonly<Record<string, unknown>>;
  if (type !== "Unigram" || wanted !== true) return;
  const encode = model.encode.bind(model);
  const encoder = new TextEncoder();
  model.encode = (pieces) =>
    encode(pieces).flatMap((piece) => {
      if (model.tokens_to_ids.has(piece)) return piece;
      const bytes = Array.from(
        encoder.encode(piece),
        (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
      );
      return bytes.every((byte) => model.tokens_to_ids.has(byte)) ? bytes : piece;
    });
}
