import { onCleanup } from "solid-js";

/** Which names are in use, by their numbers. */
const taken = new Set<number>();

/**
 * A name for a group of radio buttons, nobody else's while its owner lives, and free for another one afterwards: a browser keeps each name
 * that a group of a document ever had, so that new ones for ever would pile up while one walks from page to page.
 */
export function useName(): string {
  let number = 0;
  while (taken.has(number)) number++;
  taken.add(number);
  onCleanup(() => taken.delete(number));
  return `choice-${number}`;
}
