/**
 * The alphabet of byte-level BPE (GPT-2): each byte has a printable character. Printable Latin-1 stands for itself, the other 68 bytes for U+0100 onward in order.
 */
export function byteCharacters(): readonly string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/** From an alphabet's character back to its byte. */
export function byteOfCharacter(): ReadonlyMap<string, number> {
  return new Map(byteCharacters().map((character, byte) => [character, byte]));
}
