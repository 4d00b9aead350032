/** Characters that a text must have, and may. */
export const FEWEST = 200;
export const MOST = 1_000_000;

/** Why a text cannot be learnt from. */
export type TextFault = "empty" | "short" | "huge";

export function textFault(text: string): TextFault | undefined {
  if (text.trim() === "") return "empty";
  if (text.length < FEWEST) return "short";
  return text.length > MOST ? "huge" : undefined;
}

/** Larger files are not read at all: four bytes a character at most. */
export const MOST_BYTES: number = 4 * MOST;

/**
 * The text of a file: UTF-8, UTF-16 where it says so, or else GB 18030, in which many Chinese text files are.
 * @returns undefined for what is no text
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return lines(new TextDecoder("utf-16le").decode(bytes));
  if (first === 0xfe && second === 0xff) return lines(new TextDecoder("utf-16be").decode(bytes));
  if (bytes.includes(0)) return undefined;
  for (const encoding of ["utf-8", "gb18030"]) {
    try {
      return lines(new TextDecoder(encoding, { fatal: true }).decode(bytes));
    } catch {
      // the next one, if there is one
    }
  }
  return undefined;
}

/** One kind of line break: two would be two tokens. */
export function lines(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
