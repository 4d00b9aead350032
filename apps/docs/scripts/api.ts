import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import type { Program } from "./programs.ts";

/** A page of a public name, as typedoc wrote it. */
export interface ApiPage {
  /** Below the folder of the API: `core/functions/tensor.md`. */
  readonly path: string;
  readonly name: string;
  /** `functions`, `classes`, `variables`, `interfaces`, `type-aliases`. */
  readonly kind: string;
  /** Modules that export it: its own, and those that pass it on. */
  readonly modules: readonly string[];
  readonly text: string;
}

/** Names that are there when a program runs, not types alone. */
export const isValue = ({ kind }: ApiPage): boolean => ["functions", "classes", "variables"].includes(kind);

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** The pages of names in a folder that `scripts/docs.mjs` wrote. */
export function readApi(folder: string): ApiPage[] {
  const texts = new Map(filesIn(folder).map((path) => [path, readFileSync(join(folder, path), "utf8")]));
  const modules = new Map<string, string[]>();
  for (const [path, text] of texts) {
    if (!/^[^/]+\/index\.md$/.test(path)) continue;
    const [, module] = /^# (\S+)/m.exec(text)!;
    for (const [, target] of text.matchAll(/\]\(([^)\s#]+\.md)\)/g)) {
      const page = posix.join(posix.dirname(path), target!);
      modules.set(page, [...(modules.get(page) ?? []), module!]);
    }
  }
  return [...texts].flatMap(([path, text]) => {
    const [, kind] = path.split("/");
    const name = /^# ([\w\\]+)/m.exec(text)?.[1]?.replaceAll("\\", "");
    if (kind === undefined || kind === "index.md" || name === undefined) return [];
    return [{ path, name, kind, modules: [...new Set(modules.get(path))], text }];
  });
}

const usesOf = ({ modules, name }: ApiPage): string[] => modules.map((module) => `${module} ${name}`);

/** The first program that uses a name. */
export const programOf = (page: ApiPage, programs: readonly Program[]): Program | undefined =>
  programs.find(({ uses }) => usesOf(page).some((use) => uses.has(use)));

/** Pages by what they link to. */
function linking(pages: readonly ApiPage[]): Map<string, ApiPage[]> {
  const to = new Map<string, ApiPage[]>();
  for (const page of pages)
    for (const [, target] of page.text.matchAll(/\]\(([^)\s#:]+\.md)(?:#[^)]*)?\)/g)) {
      const path = posix.join(posix.dirname(page.path), target!);
      to.set(path, [...(to.get(path) ?? []), page]);
    }
  return to;
}

const WORDS = {
  en: { example: "Example", of: (name: string) => `Of \`${name}\`, where it occurs:`, from: "from" },
  zh: { example: "示例", of: (name: string) => `见 \`${name}\` 的示例：`, from: "自" },
} as const;

export type Language = keyof typeof WORDS;

/** The one that most people install comes first. */
const moduleOf = ({ modules }: ApiPage): string => modules.find((module) => module === "statespace") ?? modules[0]!;

/**
 * Pages as the site has them: where a name is imported from, and a program that the tests run: one that uses the name; of a type, one that uses what takes
 * or gives it.
 */
export function decorate(
  pages: readonly ApiPage[],
  programs: readonly Program[],
  language: Language,
): ReadonlyMap<string, string> {
  const words = WORDS[language];
  const from = linking(pages);
  const own = new Map(pages.map((page) => [page, programOf(page, programs)]));
  /** The nearest names that a program uses: of what takes or gives it, or of what takes or gives that; else of its module. */
  const near = (page: ApiPage): ApiPage | undefined => {
    const seen = new Set([page]);
    for (let ring = [page]; ring.length > 0;) {
      ring = ring.flatMap(({ path }) => from.get(path) ?? []).filter((other) => !seen.has(other) && seen.add(other));
      const shown = ring.filter((other) => own.get(other) !== undefined);
      if (shown.length > 0) return shown.sort((a, b) => own.get(a)!.code.length - own.get(b)!.code.length)[0];
    }
    return pages.find((other) => own.get(other) !== undefined && other.path.split("/")[0] === page.path.split("/")[0]);
  };
  const example = (page: ApiPage): string => {
    const shown = own.get(page) === undefined ? near(page) : page;
    if (shown === undefined) return "";
    const told = shown === page ? "" : `${words.of(shown.name)}\n\n`;
    return `\n## ${words.example}\n\n${told}\`\`\`ts\n${own.get(shown)!.code}\n\`\`\`\n`;
  };
  return new Map(
    pages.map((page) => {
      const type = isValue(page) ? "" : "type ";
      const line = `\`import { ${type}${page.name} } from "${moduleOf(page)}"\``;
      return [page.path, page.text.replace(/^\*(.*)\*$/m, `*$1*, ${line}`) + example(page)];
    }),
  );
}
