// Pages of the public names, one each: typedoc writes them by the folders of the sources; here they get the folders of the entries.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";

/**
 * Where a page of typedoc's goes, by its path there: `core/src/math/functions/fft.md` to `core-math/functions/fft.md`.
 * @param {string} path with slashes @param {Map<string, string>} slugs folder of the sources -> folder of the entry
 */
function placeOf(path, slugs) {
  if (path === "README.md") return "index.md";
  const folders = [...slugs.keys()].filter((folder) => path.startsWith(`${folder}/`));
  const folder = folders.sort((a, b) => b.length - a.length)[0];
  return posix.join(slugs.get(folder), path.slice(folder.length + 1).replace(/^README\.md$/, "index.md"));
}

/** A page's text with its links and title as they are at its new place. */
function moved(text, from, to, place, slugs, names) {
  const linked = text.replace(/\]\(([^)\s:#]+\.md)(#[^)\s]*)?\)/g, (_, target, heading = "") => {
    const there = place(posix.join(posix.dirname(from), target));
    return `](${posix.relative(posix.dirname(to), there)}${heading})`;
  });
  // "# Function: fft()" is told below the title; an entry has the name by which it is imported.
  return linked
    .replace(/^# ([^:\n]+): (.*)$/m, (_, kind, name) => `# ${name.replace(/(\(\))?(\\<.*)?$/, "")}\n\n*${kind}*`)
    .replaceAll(
      new RegExp(`(^# |^- \\[)(${[...slugs.keys()].join("|")})(?=\\]|$)`, "gm"),
      (_, before, folder) => before + names.get(folder),
    );
}

/** Every markdown file below a folder, with slashes. */
function markdownIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

/** Typedoc numbers some headings that stand alone on the page: links to `#name-1` that lead nowhere go to `#name`. */
const mended = (text, names) =>
  text.replace(/\(#([^)\s]+)-\d+\)/g, (link, name) =>
    names.has(link.slice(2, -1)) || !names.has(name) ? link : `(#${name})`,
  );

/**
 * Moves typedoc's pages to the folder of the reference.
 * @param {string} from @param {string} to
 * @param {{ folder: string, slug: string, name: string }[]} entries
 * @param {(text: string) => string[]} headingNames
 * @returns {number} how many pages there are
 */
export function movePages(from, to, entries, headingNames) {
  const slugs = new Map(entries.map(({ folder, slug }) => [folder, slug]));
  const names = new Map(entries.map(({ folder, name }) => [folder, name]));
  const place = (path) => placeOf(path, slugs);
  rmSync(to, { recursive: true, force: true });
  const pages = markdownIn(from);
  for (const path of pages) {
    const target = place(path);
    const text = moved(readFileSync(join(from, path), "utf8"), path, target, place, slugs, names);
    mkdirSync(dirname(join(to, target)), { recursive: true });
    writeFileSync(join(to, target), mended(text, new Set(headingNames(text))));
  }
  return pages.length;
}
