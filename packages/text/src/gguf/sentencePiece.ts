import { TOKEN_TYPES, vocabOf, type GgufVocabulary } from "./vocabulary.ts";

const SPACE = "▁";

/**
 * SentencePiece's BPE as a tokenizer.json has it. It merges the pair whose piece has the highest score; written as merges, each way of making a piece of two
 * others stands at that piece's rank.
 */
export function sentencePieceJson(vocabulary: GgufVocabulary, prefix: boolean): object {
  const { tokens, types } = vocabulary;
  const unknown = tokens.findIndex((_, id) => types[id] === TOKEN_TYPES.unknown);
  const space = { type: "Replace", pattern: { String: " " }, content: SPACE };
  return {
    normalizer: {
      type: "Sequence",
      normalizers: prefix ? [{ type: "Prepend", prepend: SPACE }, space] : [space],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: tokens[unknown] ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocabOf(vocabulary),
      merges: mergesOf(vocabulary),
    },
  };
}

function mergesOf({ tokens, types, scores }: GgufVocabulary): [string, string][] {
  const plain = new Set(tokens.filter((_, id) => types[id] === TOKEN_TYPES.normal));
  const ids = tokens.map((_, id) => id).filter((id) => types[id] === TOKEN_TYPES.normal);
  ids.sort((a, b) => (scores === undefined ? 0 : scores[b] - scores[a]) || a - b);
  const merges: [string, string][] = [];
  for (const id of ids) {
    const characters = [...tokens[id]];
    let left = "";
    for (const character of characters.slice(0, -1)) {
      left += character;
      const right = tokens[id].slice(left.length);
      if (plain.has(left) && plain.has(right)) merges.push([left, right]);
    }
  }
  return merges;
}
