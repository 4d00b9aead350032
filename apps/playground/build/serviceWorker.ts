import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

/** What the service worker keeps: paths relative to the site, with their bytes. */
export interface KeptFiles {
  /** What every page needs: the document, scripts, styles, the math font. */
  readonly code: Readonly<Record<string, number>>;
  /** What some pages fetch: the shipped model, reference values. */
  readonly data: Readonly<Record<string, number>>;
}

/** Sorts the files of a built site. Names of data folders end in a hash, as `shippedFiles` writes them. */
export function sortFiles(files: Readonly<Record<string, number>>): KeptFiles {
  const entries = Object.entries(files);
  const code = entries.filter(([path]) => /\.(js|css|woff2)$/.test(path) && path !== "sw.js");
  const document = entries.filter(([path]) => path === "index.html").map(([, bytes]) => ["./", bytes] as const);
  return {
    // the folder and not index.html: some hosts answer that name with a redirect, which no navigation may be given
    code: Object.fromEntries([...document, ...code]),
    data: Object.fromEntries(entries.filter(([path]) => /^[\w-]+-[0-9a-f]{12}\//.test(path))),
  };
}

/** Writes `sw.js`: the worker of `src/offline` with the list of what was built, and a version that changes with any of it. */
export function serviceWorker(): Plugin {
  const program = join(import.meta.dirname, "../src/offline/serviceWorker.js");
  return {
    name: "service-worker",
    apply: "build",
    writeBundle: {
      order: "post",
      sequential: true,
      handler({ dir }) {
        const hash = createHash("sha256").update(readFileSync(program));
        const files: Record<string, number> = {};
        for (const path of filesUnder(dir!)) {
          files[path] = statSync(join(dir!, path)).size;
          if (path !== "sw.js") hash.update(path).update(readFileSync(join(dir!, path)));
        }
        const text = readFileSync(program, "utf8")
          .replace("__VERSION__", hash.digest("hex").slice(0, 12))
          .replace('"__FILES__"', JSON.stringify(sortFiles(files)));
        writeFileSync(join(dir!, "sw.js"), text);
      },
    },
  };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
