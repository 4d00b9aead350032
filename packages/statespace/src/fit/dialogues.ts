import { ArgumentError } from "@statespace/core";
import { packDocuments } from "@statespace/datasets";
import { IGNORED_TARGET, type TrainingBatch } from "@statespace/models";
import type { ChatMessage, ChatRenderOptions, ChatTemplate, Tokenizer } from "@statespace/text";
import type { TokenData } from "./texts.ts";

/** A conversation; the answers of the assistant are what a model learns of it. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Functions that the assistant may call, as the model's template takes them. */
  readonly tools?: readonly object[];
}

/** A text that is read, and what follows it, which a model learns. */
export interface PromptAndCompletion {
  readonly prompt: string;
  readonly completion: string;
}

/** What a language model learns answers from. */
export type Dialogue = Conversation | PromptAndCompletion;

/** Tokens of a dialogue, and 1 for each that is part of an answer. */
export interface Marked {
  readonly ids: Int32Array;
  readonly counts: Uint8Array;
}

/** A piece of a dialogue's text. */
interface Piece {
  readonly text: string;
  readonly isAnswer: boolean;
}

/**
 * A dialogue as tokens. Conversations are written by the model's own template, and encoded piece by piece where answers begin and end, as
 * they are when a chat is held.
 * @throws ArgumentError for a conversation without an answer, or one that the template refuses.
 */
export function markAnswers(
  dialogue: Dialogue,
  where: string,
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
): Marked {
  const pieces = "messages" in dialogue ? conversationPieces(dialogue, where, template) : completionPieces(dialogue);
  const encoded = pieces.map(({ text, isAnswer }) => ({ ids: tokenizer.encode(text), isAnswer }));
  const { eosId } = tokenizer;
  if (!("messages" in dialogue) && eosId !== undefined) encoded.push({ ids: Int32Array.of(eosId), isAnswer: true });
  const length = encoded.reduce((total, { ids }) => total + ids.length, 0);
  const [ids, counts] = [new Int32Array(length), new Uint8Array(length)];
  let at = 0;
  for (const piece of encoded) {
    ids.set(piece.ids, at);
    if (piece.isAnswer) counts.fill(1, at, at + piece.ids.length);
    at += piece.ids.length;
  }
  if (!counts.includes(1, 1)) throw new ArgumentError(`${where} has no answer to learn`);
  return { ids, counts };
}

function completionPieces({ prompt, completion }: PromptAndCompletion): Piece[] {
  return [
    { text: prompt, isAnswer: false },
    { text: completion, isAnswer: true },
  ];
}

function conversationPieces(
  { messages, tools }: Conversation,
  where: string,
  template: ChatTemplate | undefined,
): Piece[] {
  if (template === undefined)
    throw new ArgumentError(`fit: conversations need the model's chat template: give { model, tokenizer, template }`);
  const options: ChatRenderOptions = tools === undefined ? {} : { tools };
  const whole = template.render(messages, options);
  const pieces: Piece[] = [];
  let at = 0;
  messages.forEach(({ role }, i) => {
    if (role !== "assistant") return;
    const before = i === 0 ? "" : template.render(messages.slice(0, i), { ...options, addGenerationPrompt: true });
    const after = template.render(messages.slice(0, i + 1), options);
    // What a template takes out of earlier answers (their reasoning) is not there to be learnt.
    if (!whole.startsWith(before) || !after.startsWith(before)) return;
    const end = commonLength(whole, after);
    if (before.length < at || end <= before.length) return;
    pieces.push({ text: whole.slice(at, before.length), isAnswer: false });
    pieces.push({ text: whole.slice(before.length, end), isAnswer: true });
    at = end;
  });
  if (pieces.length === 0) throw new ArgumentError(`${where} has no message of the assistant that the template writes`);
  return [...pieces, { text: whole.slice(at), isAnswer: false }].filter(({ text }) => text !== "");
}

/** Characters that two texts begin with alike. */
function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** How dialogues become rows. */
interface Packing {
  readonly batchSize: number;
  readonly seqLen: number | undefined;
  readonly heldOut: number;
  readonly seed: number;
}

const LONGEST_ROW = 1024;

/** Dialogues packed into rows, none of them cut that fits a row; the loss is of the answers. @throws ArgumentError naming the one that is wrong */
export function fromDialogues(
  dialogues: readonly Dialogue[],
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
  { batchSize, seqLen, heldOut, seed }: Packing,
): TokenData {
  const marked = dialogues.map((dialogue, i) => markAnswers(dialogue, `fit: data[${i}]`, tokenizer, template));
  const apart = Math.min(marked.length - 1, Math.round(marked.length * heldOut));
  const [train, test] = [marked.slice(0, marked.length - apart), marked.slice(marked.length - apart)];
  const longest = Math.max(...train.map(({ ids }) => ids.length));
  const row = seqLen ?? Math.min(LONGEST_ROW, longest);
  const tokens = train.reduce((total, { ids }) => total + ids.length, 0);
  return {
    stream: packDocuments(
      train.map(({ ids }) => ids),
      { batchSize, seqLen: row, seed, whole: true, counts: train.map(({ counts }) => counts) },
    ),
    tokens,
    seqLen: row,
    heldOut: test.length === 0 ? undefined : () => eachAlone(test),
  };
}

function* eachAlone(dialogues: readonly Marked[]): Generator<TrainingBatch> {
  for (const { ids, counts } of dialogues) {
    const shape = [1, ids.length - 1];
    const targets = ids.slice(1).map((id, i) => (counts[i + 1] === 1 ? id : IGNORED_TARGET));
    yield { inputs: ids.slice(0, -1), targets, shape, targetShape: shape, reset: true };
  }
}
