import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";

/** How a CSV file separates its fields. */
export interface CsvOptions {
  /** One character between fields. Default ",". */
  readonly delimiter?: string;
  /** Number of the text's first line in errors, for a part of a file. Default 1. */
  readonly firstLine?: number;
}

/**
 * All records of a CSV text: quoted fields may hold delimiters, line breaks and doubled quotes;
 * lines end in CRLF or LF; a byte order mark and one empty last line are dropped.
 * Errors: `FormatError` for a quote within a bare field, text after a closing quote, an unclosed quote
 * or a record of a different length than the first, each with its line.
 * Source: RFC 4180. Departure: LF alone ends a line too.
 */
export function parseCsv(text: string, options: CsvOptions = {}): string[][] {
  refuseUnknown("parseCsv", options, ["delimiter", "firstLine"]);
  const { delimiter = ",", firstLine = 1 } = options;
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new ArgumentError(
      `parseCsv: delimiter must be one character other than a quote or line break, got ${JSON.stringify(delimiter)}`,
    );
  }
  const scanner = new CsvScanner(text, delimiter, firstLine);
  const records: string[][] = [];
  while (!scanner.done) {
    const line = scanner.line;
    const record = scanner.record();
    if (records.length > 0 && record.length !== records[0].length) {
      throw new FormatError(`csv: line ${line} must have ${records[0].length} fields, got ${record.length}`);
    }
    records.push(record);
  }
  return records;
}

class CsvScanner {
  line: number;
  readonly #text: string;
  readonly #delimiter: string;
  #at = 0;

  constructor(text: string, delimiter: string, firstLine: number) {
    this.line = firstLine;
    this.#text = text;
    this.#delimiter = delimiter;
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  record(): string[] {
    const fields: string[] = [];
    for (;;) {
      fields.push(this.#text[this.#at] === '"' ? this.#quoted() : this.#bare());
      if (this.#text[this.#at] !== this.#delimiter) break;
      this.#at++;
    }
    if (this.#text[this.#at] === "\r") this.#at++;
    this.#at++;
    this.line++;
    return fields;
  }

  #bare(): string {
    const start = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char === this.#delimiter || char === "\n") break;
      if (char === "\r") {
        if (this.#text[this.#at + 1] === "\n" || this.#at + 1 === this.#text.length) break;
        throw new FormatError(`csv: line ${this.line} holds a carriage return without a line feed`);
      }
      if (char === '"') throw new FormatError(`csv: line ${this.line} has a quote inside an unquoted field`);
    }
    return this.#text.slice(start, this.#at);
  }

  #quoted(): string {
    const opened = this.line;
    const parts: string[] = [];
    for (let start = this.#at + 1; ;) {
      const end = this.#text.indexOf('"', start);
      if (end < 0) throw new FormatError(`csv: the quote opened on line ${opened} is never closed`);
      const part = this.#text.slice(start, end);
      parts.push(part);
      for (let i = part.indexOf("\n"); i >= 0; i = part.indexOf("\n", i + 1)) this.line++;
      this.#at = end + 1;
      if (this.#text[this.#at] !== '"') break;
      parts.push('"');
      start = end + 2;
    }
    const next = this.#text[this.#at];
    if (next !== undefined && next !== this.#delimiter && next !== "\n" && next !== "\r") {
      throw new FormatError(`csv: line ${this.line} has text after a closing quote`);
    }
    if (next === "\r" && (this.#text[this.#at + 1] ?? "\n") !== "\n") {
      throw new FormatError(`csv: line ${this.line} holds a carriage return without a line feed`);
    }
    return parts.join("");
  }
}
