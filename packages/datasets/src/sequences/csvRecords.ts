import { FormatError } from "@statespace/core";
import { sourceName, type ByteSource } from "@statespace/files";
import { parseCsv, type CsvOptions } from "../formats/csv.ts";
import { linesOf, type StreamOptions } from "./lines.ts";

/** A record of a CSV file. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** Of its beginning, from 1. */
  readonly line: number;
}

/**
 * The records of a CSV file as they come, the header too; empty lines at the end are passed over.
 * Errors: `FormatError` with the line, as `parseCsv`; what `linesOf` throws.
 */
export async function* csvRecords(
  from: ByteSource,
  { signal, ...options }: CsvOptions & StreamOptions = {},
): AsyncGenerator<CsvRecord, void, undefined> {
  const name = sourceName(from);
  let width: number | undefined;
  let open: { text: string; line: number } | undefined;
  let empty: number | undefined;
  for await (const { text, number } of linesOf(from, signal ? { signal } : {})) {
    if (open === undefined && text === "") {
      empty ??= number;
      continue;
    }
    if (empty !== undefined) throw new FormatError(`${name}: line ${empty} is empty`);
    open = open === undefined ? { text, line: number } : { text: `${open.text}\n${text}`, line: open.line };
    // A quoted field goes on over lines until its quotes are even.
    if ((open.text.split('"').length - 1) % 2 === 1) continue;
    const { line } = open;
    const [fields] = parseCsv(open.text, { ...options, firstLine: line });
    open = undefined;
    width ??= fields!.length;
    if (fields!.length !== width)
      throw new FormatError(`${name}: line ${line} must have ${width} fields, got ${fields!.length}`);
    yield { fields: fields!, line };
  }
  if (open !== undefined) throw new FormatError(`${name}: the quote opened on line ${open.line} is never closed`);
}
