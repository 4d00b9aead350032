import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { sourceName, type ByteSource } from "@statespace/files";
import { csvRecords } from "./csvRecords.ts";
import type { StreamOptions } from "./lines.ts";
import { stepOf, type Sequences } from "./sequences.ts";

/** Which columns of a CSV file, a row a step, are what. */
export interface CsvSequenceOptions extends StreamOptions {
  /** Rows with the same word here are one sequence; without it all are one. */
  readonly sequence?: string;
  readonly inputs: readonly string[];
  /** What is to be answered: numbers, or words, which become classes in the order of the alphabet. */
  readonly target: string | readonly string[];
  /** `step`, the default: an answer for each row; `sequence`: one for the whole, which all rows must agree on. */
  readonly per?: "step" | "sequence";
  /** When a step comes: a number, or a date. */
  readonly time?: string;
  readonly delimiter?: string;
}

/** Which columns of a CSV file are series. */
export interface CsvSeriesOptions extends StreamOptions {
  readonly columns: readonly string[];
  readonly sequence?: string;
  readonly time?: string;
  readonly delimiter?: string;
}

const MISSING: ReadonlySet<string> = new Set(["", "na", "nan", "null", "?"]);

/**
 * Sequences from a CSV file with a header, as `fit` takes them. Empty fields, NA, NaN, null and ? are missing values.
 * Errors: `FormatError` with the line and the column; `ArgumentError` for options that do not fit; what `csvRecords` throws.
 */
export async function readCsvSequences(from: ByteSource, options: CsvSequenceOptions): Promise<Sequences> {
  const names = ["sequence", "inputs", "target", "per", "time", "delimiter", "signal"];
  refuseUnknown("readCsvSequences", options, names, { targets: "target", columns: "inputs", id: "sequence" });
  const { inputs, target, per = "step", time } = options;
  const targets = typeof target === "string" ? [target] : target;
  if (inputs.length === 0 || targets.length === 0)
    throw new ArgumentError("readCsvSequences: inputs and target must name a column each, or more");
  if (per !== "step" && per !== "sequence")
    throw new ArgumentError(`readCsvSequences: per must be "step" or "sequence", got ${JSON.stringify(per)}`);
  const table = await readTable(from, options, [...inputs, ...targets], targets.length === 1 ? targets[0] : undefined);
  const answers = table.groups.map(({ rows, lines }) => {
    const each = rows.map((row) => row.slice(inputs.length));
    if (per === "step") return each.map(stepOf);
    const odd = each.findIndex((answer) => !sameNumbers(answer, each[0]!));
    if (odd >= 0)
      throw new FormatError(
        `${sourceName(from)}: line ${lines[odd]}: ${targets.join(", ")} must be the same in all rows of a sequence`,
      );
    return stepOf(each[0]!);
  });
  return {
    inputs: table.groups.map(({ rows }) => rows.map((row) => stepOf(row.slice(0, inputs.length)))),
    targets: answers,
    ...(time !== undefined && { times: table.groups.map(({ times }) => times) }),
    ...(table.classes && { classes: table.classes }),
  };
}

/** Series from a CSV file with a header, as `fit` takes them to forecast. Errors: as `readCsvSequences`. */
export async function readCsvSeries(
  from: ByteSource,
  options: CsvSeriesOptions,
): Promise<{ readonly series: Sequences["inputs"]; readonly times?: Sequences["times"] }> {
  refuseUnknown("readCsvSeries", options, ["columns", "sequence", "time", "delimiter", "signal"], {
    inputs: "columns",
  });
  if (options.columns.length === 0) throw new ArgumentError("readCsvSeries: columns must name a column, or more");
  const { groups } = await readTable(from, options, options.columns, undefined);
  return {
    series: groups.map(({ rows }) => rows.map(stepOf)),
    ...(options.time !== undefined && { times: groups.map(({ times }) => times) }),
  };
}

interface Group {
  readonly rows: number[][];
  readonly times: number[];
  readonly lines: number[];
}

interface Table {
  readonly groups: readonly Group[];
  readonly classes: readonly string[] | undefined;
}

/** @param words a column that may hold words, which is the last of `columns` */
async function readTable(
  from: ByteSource,
  { sequence, time, ...options }: Pick<CsvSeriesOptions, "sequence" | "time" | "delimiter" | "signal">,
  columns: readonly string[],
  words: string | undefined,
): Promise<Table> {
  const name = sourceName(from);
  const groups = new Map<string, Group>();
  const kept: { readonly row: number[]; readonly word: string }[] = [];
  let places: readonly number[] | undefined;
  let [sequenceAt, timeAt] = [-1, -1];
  const { delimiter, signal } = options;
  const reading = { ...(delimiter !== undefined && { delimiter }), ...(signal && { signal }) };
  for await (const { fields, line } of csvRecords(from, reading)) {
    if (places === undefined) {
      const place = (column: string): number => placeOf(name, fields, column);
      places = columns.map(place);
      if (sequence !== undefined) sequenceAt = place(sequence);
      if (time !== undefined) timeAt = place(time);
      continue;
    }
    const key = sequenceAt < 0 ? "" : fields[sequenceAt]!;
    const group = groups.get(key) ?? { rows: [], times: [], lines: [] };
    groups.set(key, group);
    const row = places.map((at, i) => {
      const isWord = columns[i] === words && i === columns.length - 1;
      return isWord && isNoNumber(fields[at]!) ? Number.NaN : numberOf(name, line, columns[i]!, fields[at]!);
    });
    if (words !== undefined) kept.push({ row, word: fields[places.at(-1)!]!.trim() });
    group.rows.push(row);
    group.lines.push(line);
    if (timeAt >= 0) group.times.push(timeOf(name, line, time!, fields[timeAt]!));
  }
  if (groups.size === 0) throw new FormatError(`${name}: has no rows`);
  return { groups: [...groups.values()], classes: withClasses(kept) };
}

/** Where a column of answers holds words, their numbers in the order of the alphabet, in place. */
function withClasses(
  kept: readonly { readonly row: number[]; readonly word: string }[],
): readonly string[] | undefined {
  if (!kept.some(({ word }) => isNoNumber(word))) return undefined;
  const classes = [...new Set(kept.map(({ word }) => word).filter((word) => !MISSING.has(word.toLowerCase())))].sort();
  for (const { row, word } of kept) row[row.length - 1] = classes.includes(word) ? classes.indexOf(word) : Number.NaN;
  return classes;
}

function isNoNumber(field: string): boolean {
  const text = field.trim();
  return !MISSING.has(text.toLowerCase()) && Number.isNaN(Number(text));
}

function placeOf(name: string, header: readonly string[], column: string): number {
  const at = header.findIndex((each) => each.trim() === column);
  if (at < 0) throw new FormatError(`${name}: has no column "${column}"; it has ${header.join(", ").slice(0, 200)}`);
  return at;
}

function numberOf(name: string, line: number, column: string, field: string): number {
  const text = field.trim();
  if (MISSING.has(text.toLowerCase())) return Number.NaN;
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new FormatError(
      `${name}: line ${line}, column "${column}" must be a number, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  return value;
}

/** A number, or a date in days since 1970. */
function timeOf(name: string, line: number, column: string, field: string): number {
  const text = field.trim();
  const value = text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  const date = Date.parse(text);
  if (Number.isNaN(date))
    throw new FormatError(
      `${name}: line ${line}, column "${column}" must be a number or a date, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  return date / 86_400_000;
}

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => Object.is(value, b[i]));
