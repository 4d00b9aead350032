import { Rng } from "@statespace/core";

/** The visitor's sequence: where the letters stand and which they are. Noise is everywhere else. */
export interface Letter {
  readonly place: number;
  /** 1 is A. */
  readonly token: number;
}

/** Pixels of a place, at least: what a finger can hit. */
export const PLACE = 24;

export const letterName = (token: number): string => String.fromCharCode(64 + token);

/** As the task draws it: letters at random places, in order. */
export function randomLetters(seed: number, nTokens: number, seqLen: number, letters: number): Letter[] {
  const rng = new Rng(seed);
  const places = new Set<number>();
  while (places.size < nTokens) places.add(rng.integer(seqLen));
  return [...places].sort((a, b) => a - b).map((place) => ({ place, token: 1 + rng.integer(letters) }));
}

/** The ids the models are given: noise 0, letters, then the question at every step of the answer. */
export function toIds(sequence: readonly Letter[], seqLen: number, letters: number): Int32Array {
  const ids = new Int32Array(seqLen + sequence.length);
  for (const { place, token } of sequence) ids[place] = token;
  ids.fill(letters + 1, seqLen);
  return ids;
}

const inOrder = (sequence: readonly Letter[]): Letter[] => [...sequence].sort((a, b) => a.place - b.place);

/** Moves a letter to a free place. */
export function moveLetter(sequence: readonly Letter[], from: number, to: number, seqLen: number): Letter[] {
  if (to < 0 || to >= seqLen || sequence.some(({ place }) => place === to)) return [...sequence];
  return inOrder(sequence.map((letter) => (letter.place === from ? { ...letter, place: to } : letter)));
}

/** Puts another letter at a place that has one. */
export function setLetter(sequence: readonly Letter[], place: number, token: number): Letter[] {
  return sequence.map((letter) => (letter.place === place ? { ...letter, token } : letter));
}

/** The letter nearest to a place. */
export function nearestLetter(sequence: readonly Letter[], place: number): Letter {
  return sequence.reduce((best, letter) =>
    Math.abs(letter.place - place) < Math.abs(best.place - place) ? letter : best,
  );
}

/** `3A9B`: how a sequence is written in the address. */
export const lettersCodec = {
  parse(text: string): readonly Letter[] | undefined {
    const parts = [...text.matchAll(/(\d+)([A-H])/g)];
    return parts.length === 0
      ? undefined
      : inOrder(parts.map(([, place, name]) => ({ place: Number(place), token: name!.charCodeAt(0) - 64 })));
  },
  format: (sequence: readonly Letter[]): string =>
    sequence.map(({ place, token }) => `${place}${letterName(token)}`).join(""),
};
