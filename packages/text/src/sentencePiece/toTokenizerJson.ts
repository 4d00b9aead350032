import { PIECE_KINDS, type Piece, type SentencePieceModel } from "./readModel.ts";

/** How texts begin and end, beside what the model says. */
export interface Surroundings {
  readonly addBos: boolean;
  readonly addEos: boolean;
}

const SPACE = "▁"; // stands for a space

/**
 * A sentencepiece model as `tokenizer.json`. A BPE model says the order of its merges by the scores of what they make; of several ways to make a
 * piece all are merges, as Hugging Face's converter has it.
 */
export function sentencePieceJson(model: SentencePieceModel, { addBos, addEos }: Surroundings): string {
  const { pieces, type, byteFallback, unkId } = model;
  const special = new Set<number>([PIECE_KINDS.control, PIECE_KINDS.unknown]);
  const added = pieces.flatMap(({ text, kind }, id) =>
    special.has(kind) || kind === PIECE_KINDS.userDefined
      ? [
          {
            id,
            content: text,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: special.has(kind),
          },
        ]
      : [],
  );
  const vocab = pieces.map(({ text }) => text);
  const own =
    type === "unigram"
      ? {
          type: "Unigram",
          unk_id: unkId,
          vocab: pieces.map(({ text, score }) => [text, score]),
          byte_fallback: byteFallback,
        }
      : {
          type: "BPE",
          dropout: null,
          unk_token: vocab[unkId] ?? null,
          continuing_subword_prefix: null,
          end_of_word_suffix: null,
          fuse_unk: true,
          byte_fallback: byteFallback,
          ignore_merges: false,
          vocab: Object.fromEntries(vocab.map((text, id) => [text, id])),
          merges: mergesOf(pieces),
        };
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: normaliserOf(model),
    pre_tokenizer: null,
    post_processor: postProcessorOf(model, addBos, addEos),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(model.addsDummyPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: own,
  });
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** Spaces become marks; before that, what the model does to characters and to spaces of several. */
function normaliserOf({ charsmap, removesExtraSpaces, addsDummyPrefix }: SentencePieceModel): object {
  const parts = [
    ...(charsmap ? [{ type: "Precompiled", precompiled_charsmap: base64(charsmap) }] : []),
    ...(removesExtraSpaces
      ? [
          { type: "Replace", pattern: { Regex: "^ +| +$" }, content: "" },
          { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
        ]
      : []),
    ...(addsDummyPrefix ? [{ type: "Prepend", prepend: SPACE }] : []),
    { type: "Replace", pattern: { String: " " }, content: SPACE },
  ];
  return { type: "Sequence", normalizers: parts };
}

function postProcessorOf(
  { pieces, bosId, eosId }: SentencePieceModel,
  addBos: boolean,
  addEos: boolean,
): object | null {
  const ends = [
    ...(addBos && pieces[bosId] ? [[pieces[bosId].text, bosId] as const] : []),
    ...(addEos && pieces[eosId] ? [[pieces[eosId].text, eosId] as const] : []),
  ];
  if (ends.length === 0) return null;
  const token = (text: string): object => ({ SpecialToken: { id: text, type_id: 0 } });
  const template = (id: string): object[] => [
    ...(addBos && pieces[bosId] ? [token(pieces[bosId].text)] : []),
    { Sequence: { id, type_id: 0 } },
    ...(addEos && pieces[eosId] ? [token(pieces[eosId].text)] : []),
  ];
  return {
    type: "TemplateProcessing",
    single: template("A"),
    pair: [...template("A"), ...template("B")],
    special_tokens: Object.fromEntries(ends.map(([text, id]) => [text, { id: text, ids: [id], tokens: [text] }])),
  };
}

/** Every pair of pieces that makes another, those that make the likeliest first. */
function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const ids = new Map<string, number>();
  pieces.forEach(({ text, kind }, id) => {
    if (kind === PIECE_KINDS.normal) ids.set(text, id);
  });
  const made: { left: string; right: string; score: number; ids: readonly [number, number] }[] = [];
  for (const { text, score, kind } of pieces) {
    if (kind !== PIECE_KINDS.normal) continue;
    const ends = [...text];
    let left = "";
    for (let i = 0; i + 1 < ends.length; i++) {
      left += ends[i]!;
      const right = text.slice(left.length);
      const [a, b] = [ids.get(left), ids.get(right)];
      if (a !== undefined && b !== undefined) made.push({ left, right, score, ids: [a, b] });
    }
  }
  const longer = (p: string, q: string): number => [...q].length - [...p].length;
  made.sort(
    (p, q) =>
      q.score - p.score ||
      longer(p.left, q.left) ||
      longer(p.right, q.right) ||
      p.ids[0] - q.ids[0] ||
      p.ids[1] - q.ids[1],
  );
  return made.map(({ left, right }) => [left, right]);
}
