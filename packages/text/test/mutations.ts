import type { Rng } from "@statespace/core";

/** What broken disks and attackers write into JSON. */
const fragments = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "null",
  "-1",
  "1e999",
  "9007199254740993",
  '"__proto__":',
  "\0",
  "é",
  "[".repeat(500),
];

/** One to three edits of a text: a piece gone, a fragment put in, a piece copied, a letter changed, a number changed. */
export function mutate(text: string, rng: Rng): string {
  for (let edits = 1 + rng.integer(3); edits > 0; edits--) {
    const [from, length] = [rng.integer(text.length + 1), rng.integer(12)];
    const numbers = [...text.matchAll(/\d+/g)];
    const hit = numbers[rng.integer(Math.max(1, numbers.length))];
    const copied = rng.integer(text.length + 1);
    const edit = [
      text.slice(0, from) + text.slice(from + length),
      text.slice(0, from) + fragments[rng.integer(fragments.length)]! + text.slice(from),
      text.slice(0, from) + text.slice(copied, copied + 40) + text.slice(from),
      text.slice(0, from) + String.fromCharCode(rng.integer(256)) + text.slice(from + 1),
      hit === undefined
        ? text
        : text.slice(0, hit.index) +
          [0, 7, 255, 2 ** 31, 2 ** 53][rng.integer(5)]! +
          text.slice(hit.index + hit[0].length),
    ];
    text = edit[rng.integer(edit.length)]!;
  }
  return text;
}
