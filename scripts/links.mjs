// Relative links in the repository's markdown, and headings they point at, that do not exist.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const skipped = new Set(["node_modules", "dist", "coverage", "artifacts", ".git", ".turbo", ".data", ".gpu"]);

/** Every markdown file below a folder that is not installed or built. */
export function markdownFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** Targets of the links and pictures of a text; what stands in code is none. */
export function linkTargets(text) {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(<?([^()\s>]+(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+"[^"]*")?\)/g)].map(
    ([, target]) => target,
  );
}

const withoutFences = (text) => text.replace(/^ {0,3}(```+|~~~+)[\s\S]*?^ {0,3}\1[^\S\n]*$/gm, "");

/** Names of a text's headings as GitHub makes them: lower case, signs dropped, spaces to hyphens, repeated ones numbered. */
export function headingNames(text) {
  const seen = new Map();
  return [...withoutFences(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/\\(.)/g, "$1");
    const name = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
}

/** One line for each link that leads nowhere. */
export function deadLinks(root) {
  const names = new Map();
  const namesOf = (file) => {
    if (!names.has(file)) names.set(file, new Set(headingNames(readFileSync(file, "utf8"))));
    return names.get(file);
  };
  return markdownFiles(root).flatMap((file) => {
    const where = (target) => `${relative(root, file)}: ${target}`;
    return (
      linkTargets(readFileSync(file, "utf8"))
        // The documentation site has the playground beside it; the site's own tests look at these.
        .filter((target) => !/^([a-z][a-z+.-]*:|\/playground\/)/i.test(target))
        .flatMap((target) => {
          const [path, heading] = target.split("#").map(decodeURIComponent);
          const to = path === "" ? file : resolve(dirname(file), path);
          if (relative(root, to).startsWith("..") || !existsSync(to)) return [where(target)];
          return heading && to.endsWith(".md") && !namesOf(to).has(heading) ? [where(target)] : [];
        })
    );
  });
}
