import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { loadBytes, sourceName, type ByteSource } from "@statespace/files";
import { encodeNucleotides, type FastaRecord } from "../formats/fasta.ts";
import type { IdxArray } from "../formats/idx.ts";
import { parseWav } from "../formats/wav.ts";
import { linesOf, type StreamOptions } from "./lines.ts";
import type { Sequences } from "./sequences.ts";

/** A sound and its answer: a class by its word, or numbers. */
export interface LabelledSound {
  readonly source: ByteSource;
  readonly target: string | number;
}

/**
 * Sounds as sequences of samples, a number a step, or one for each channel.
 * Errors: `FormatError` for a damaged file, or sounds of other rates or channels than the first; what `loadBytes` throws.
 */
export async function readWavSequences(
  sounds: readonly LabelledSound[],
  options: StreamOptions = {},
): Promise<Sequences & { readonly sampleRate: number }> {
  refuseUnknown("readWavSequences", options, ["signal"]);
  if (sounds.length === 0) throw new ArgumentError("readWavSequences: there are no sounds");
  const inputs: Sequences["inputs"][number][] = [];
  let first: { readonly sampleRate: number; readonly channels: number } | undefined;
  for (const { source } of sounds) {
    const { samples, channels, sampleRate } = parseWav(await loadBytes(source, options), sourceName(source));
    first ??= { sampleRate, channels };
    if (sampleRate !== first.sampleRate || channels !== first.channels)
      throw new FormatError(
        `${sourceName(source)}: must have ${first.channels} channels at ${first.sampleRate} Hz as the first, got ${channels} at ${sampleRate}`,
      );
    inputs.push(
      channels === 1
        ? Array.from(samples)
        : Array.from({ length: samples.length / channels }, (_, t) =>
            Array.from(samples.subarray(t * channels, (t + 1) * channels)),
          ),
    );
  }
  return { inputs, ...classed(sounds.map(({ target }) => target)), sampleRate: first!.sampleRate };
}

/**
 * The records of a FASTA file as they come.
 * Errors: `FormatError` with the line, as `parseFasta`; what `linesOf` throws.
 */
export async function* fastaRecords(
  from: ByteSource,
  options: StreamOptions = {},
): AsyncGenerator<FastaRecord, void, undefined> {
  const name = sourceName(from);
  let open:
    | { readonly id: string; readonly description: string; readonly parts: string[]; readonly line: number }
    | undefined;
  const finished = (): FastaRecord => {
    const { id, description, parts, line } = open!;
    if (parts.length === 0) throw new FormatError(`${name}: the record on line ${line} has no residues`);
    return { id, description, sequence: parts.join("").toUpperCase() };
  };
  for await (const { text, number } of linesOf(from, options)) {
    const line = text.trimEnd();
    if (line === "" || line.startsWith(";")) continue;
    if (line.startsWith(">")) {
      if (open) yield finished();
      const [, id, description] = /^>(\S+)[ \t]*(.*)$/.exec(line) ?? [];
      if (id === undefined) throw new FormatError(`${name}: line ${number} is a header without a name`);
      open = { id, description: description!, parts: [], line: number };
      continue;
    }
    if (!open) throw new FormatError(`${name}: line ${number} holds residues before any header`);
    if (!/^[A-Za-z*-]+$/.test(line))
      throw new FormatError(`${name}: line ${number} holds a character that is no residue`);
    open.parts.push(line);
  }
  if (open) yield finished();
}

/** What the answer to a record is. */
export interface FastaSequenceOptions extends StreamOptions {
  /** A class by its word, or a number; the last word of the header unless told. */
  readonly target?: (record: FastaRecord) => string | number;
}

/** Nucleotides as ids (N A C G T), with a class or a number for each record. Errors: as `fastaRecords`. */
export async function readFastaSequences(from: ByteSource, options: FastaSequenceOptions = {}): Promise<Sequences> {
  refuseUnknown("readFastaSequences", options, ["target", "signal"], { label: "target" });
  const { target = lastWord, ...streaming } = options;
  const inputs: (readonly number[])[] = [];
  const answers: (string | number)[] = [];
  for await (const record of fastaRecords(from, streaming)) {
    inputs.push(Array.from(encodeNucleotides(record.sequence)));
    answers.push(target(record));
  }
  if (inputs.length === 0) throw new FormatError(`${sourceName(from)}: has no records`);
  return { inputs, ...classed(answers) };
}

function lastWord({ id, description }: FastaRecord): string {
  const word = description.split(/\s+/).findLast((each) => each !== "");
  if (word === undefined) throw new FormatError(`fasta: ${id} has no word in its header that tells its class`);
  return word;
}

/**
 * Images row by row: a step is a row of pixels in [0, 1].
 * @param images bytes [n, rows, columns] @param labels bytes [n]
 * Errors: `FormatError` for other shapes.
 */
export function imageRows(images: IdxArray, labels: IdxArray): Sequences {
  const [n, rows, columns] = images.shape;
  if (images.shape.length !== 3 || labels.shape.length !== 1 || labels.shape[0] !== n)
    throw new FormatError(
      `imageRows: images must be [n, rows, columns] and labels [n], got [${images.shape.join(", ")}] and [${labels.shape.join(", ")}]`,
    );
  const row = (at: number): number[] => Array.from(images.data.subarray(at, at + columns!), (pixel) => pixel / 255);
  return {
    inputs: Array.from({ length: n! }, (_, i) =>
      Array.from({ length: rows! }, (__, r) => row((i * rows! + r) * columns!)),
    ),
    targets: Array.from(labels.data),
  };
}

/** Words as classes in the order of the alphabet, numbers as they are. */
export function classed(answers: readonly (string | number)[]): Pick<Sequences, "targets" | "classes"> {
  const words = answers.filter((answer) => typeof answer === "string");
  if (words.length === 0) return { targets: answers as readonly number[] };
  if (words.length < answers.length) throw new FormatError("answers must all be words, or all be numbers");
  const classes = [...new Set(words)].sort();
  return { targets: words.map((word) => classes.indexOf(word)), classes };
}
