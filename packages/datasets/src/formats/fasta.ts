import { ArgumentError, FormatError } from "@statespace/core";
import { decodeUtf8 } from "@statespace/files";

/** One sequence of a FASTA file. */
export interface FastaRecord {
  /** First word of the header. */
  readonly id: string;
  /** Rest of the header. */
  readonly description: string;
  /** Letters in upper case, without line breaks. */
  readonly sequence: string;
}

/** Ids of nucleotides: 0 is anything not known (N and the other ambiguity letters), then A C G T. */
export const nucleotideSymbols: readonly string[] = ["N", "A", "C", "G", "T"];

const header = /^>(\S+)[ \t]*(.*)$/;

/**
 * Reads FASTA, nucleotides or proteins.
 * Errors: `FormatError` with the line for residues before a header, an empty header, an empty record or a character
 * that is neither a letter, `-` nor `*`.
 */
export function parseFasta(source: string | Uint8Array): FastaRecord[] {
  const text = typeof source === "string" ? source : decodeUtf8(source, "fasta");
  const records: FastaRecord[] = [];
  let open: { id: string; description: string; parts: string[]; line: number } | undefined;
  const close = (): void => {
    if (!open) return;
    if (open.parts.length === 0) throw new FormatError(`fasta: the record on line ${open.line} has no residues`);
    records.push({ id: open.id, description: open.description, sequence: open.parts.join("").toUpperCase() });
  };
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trimEnd();
    if (line === "" || line.startsWith(";")) continue;
    if (line.startsWith(">")) {
      close();
      const match = header.exec(line);
      if (!match) throw new FormatError(`fasta: line ${i + 1} is a header without a name`);
      open = { id: match[1], description: match[2], parts: [], line: i + 1 };
      continue;
    }
    if (!open) throw new FormatError(`fasta: line ${i + 1} holds residues before any header`);
    if (!/^[A-Za-z*-]+$/.test(line)) throw new FormatError(`fasta: line ${i + 1} holds a character that is no residue`);
    open.parts.push(line);
  }
  close();
  if (records.length === 0) throw new FormatError("fasta: no record found");
  return records;
}

/** Writes records with lines of `width` residues. Errors: `ArgumentError` for an id with white space. */
export function formatFasta(records: readonly FastaRecord[], width: number = 70): string {
  const lines: string[] = [];
  for (const { id, description, sequence } of records) {
    if (!/^\S+$/.test(id)) throw new ArgumentError(`formatFasta: id must be one word, got ${JSON.stringify(id)}`);
    lines.push(description === "" ? `>${id}` : `>${id} ${description}`);
    for (let at = 0; at < sequence.length; at += width) lines.push(sequence.slice(at, at + width));
  }
  return `${lines.join("\n")}\n`;
}

/** Ids of a DNA or RNA sequence (U reads as T) by `nucleotideSymbols`. */
export function encodeNucleotides(sequence: string): Int32Array {
  const ids = new Int32Array(sequence.length);
  for (let i = 0; i < ids.length; i++) {
    const letter = sequence[i].toUpperCase();
    ids[i] = Math.max(0, nucleotideSymbols.indexOf(letter === "U" ? "T" : letter));
  }
  return ids;
}
