/** What the file says of each token. */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

/** A vocabulary as a GGUF file has it. */
export interface GgufVocabulary {
  readonly tokens: readonly string[];
  readonly types: ArrayLike<number>;
  readonly scores: ArrayLike<number> | undefined;
  readonly merges: readonly string[];
}

/** Tokens by text. Padding has no text of its own, and special tokens that follow all others stand beside a vocabulary, not in it. */
export function vocabOf({ tokens, types }: GgufVocabulary): Record<string, number> {
  const plain = new Set<number>([TOKEN_TYPES.normal, TOKEN_TYPES.byte]);
  const last = tokens.findLastIndex((_, id) => plain.has(types[id]));
  const vocab: Record<string, number> = Object.create(null) as Record<string, number>;
  tokens.slice(0, last + 1).forEach((token, id) => {
    if (types[id] !== TOKEN_TYPES.unused && !(token in vocab)) vocab[token] = id;
  });
  return vocab;
}
