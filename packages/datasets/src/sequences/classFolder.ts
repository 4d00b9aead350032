import { FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { loadText, localFiles } from "@statespace/files";
import { classed, readWavSequences } from "./fileSequences.ts";
import type { StreamOptions } from "./lines.ts";
import type { Sequences } from "./sequences.ts";

/** How the texts of a folder become ids. */
export interface ClassFolderOptions extends StreamOptions {
  /** Needed for texts: what a tokenizer of `@statespace/text` has. */
  readonly tokenizer?: { encode(text: string): Int32Array };
}

/**
 * A folder with a folder for each class, whose files are sounds (`.wav`) or texts (`.txt`, `.md`); files are read in the order of their names (Node).
 * Errors: `FormatError` naming the folder or file: no classes, an empty class, sounds and texts mixed; what the readers throw.
 */
export async function readClassFolder(folder: string | URL, options: ClassFolderOptions = {}): Promise<Sequences> {
  refuseUnknown("readClassFolder", options, ["tokenizer", "signal"]);
  const { tokenizer, ...loading } = options;
  const files = localFiles();
  const root = files.path(folder);
  const sounds: { source: string; target: string }[] = [];
  const texts: { source: string; target: string }[] = [];
  const entries = (await files.entries(root)).filter(({ isFolder }) => isFolder);
  if (entries.length === 0) throw new FormatError(`${root}: has no folder, one for each class`);
  for (const { name: target } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const names = (await files.entries(files.join(root, target))).map(({ name }) => name).sort();
    const own = names.filter((name) => /\.(wav|txt|md)$/i.test(name));
    if (own.length === 0) throw new FormatError(`${files.join(root, target)}: has no .wav, .txt or .md file`);
    for (const name of own)
      (/\.wav$/i.test(name) ? sounds : texts).push({ source: files.join(root, target, name), target });
  }
  if (sounds.length > 0 && texts.length > 0)
    throw new FormatError(`${root}: has sounds and texts; give one or the other`);
  if (sounds.length > 0) return readWavSequences(sounds, loading);
  if (tokenizer === undefined) throw new FormatError(`${root}: has texts, which need a tokenizer`);
  const inputs: (readonly number[])[] = [];
  for (const { source } of texts) {
    const ids = tokenizer.encode(await loadText(source, loading));
    if (ids.length === 0) throw new FormatError(`${source}: is empty`);
    inputs.push(Array.from(ids));
  }
  return { inputs, ...classed(texts.map(({ target }) => target)) };
}
