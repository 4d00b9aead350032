import { FormatError } from "@statespace/core";
import { fileAddress, hubAddress, type HubOptions } from "../sources/hub.ts";
import { isNode, nodeFiles, toPath } from "../sources/nodeFiles.ts";
import type { SourceLike } from "../sources/openSource.ts";

/** A GGUF file, and where it lies. */
export interface GgufPlace {
  readonly from: SourceLike;
  readonly file: string;
}

/** Of a split file, the first part. */
const LATER_PART = /-(?!00001)\d{5}-of-\d{5}\.gguf$/i;
const HUB_FILE = /^(?:hf:)?([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)\/([^/]+\.gguf)$/i;

/** What a model sees with: not a model of its own. */
const PROJECTOR = /^mmproj/i;

/**
 * The GGUF file that a user means: a path or a URL that ends with `.gguf`, a file on the hub (`owner/name/file.gguf`), or the one such file of a local folder or among
 * files at hand that hold no other model; `undefined` for anything else.
 * @throws FormatError for a local folder that has several of them, and nothing else
 */
export function locateGguf(from: SourceLike, options: HubOptions = {}): GgufPlace | undefined {
  if (typeof from === "string" || from instanceof URL) return ofAddress(from, options);
  const names = namesOf(from);
  if (names === undefined || names.includes("config.json")) return undefined;
  const found = modelsAmong(names);
  return found.length === 1 ? { from, file: found[0]! } : undefined;
}

const modelsAmong = (names: readonly string[]): readonly string[] =>
  names.filter((name) => /\.gguf$/i.test(name) && !LATER_PART.test(name) && !PROJECTOR.test(name));

function ofAddress(from: string | URL, options: HubOptions): GgufPlace | undefined {
  const text = String(from);
  if (/^https?:/i.test(text)) {
    const url = fileAddress(text, options);
    const file = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
    if (!/\.gguf$/i.test(file)) return undefined;
    const folder = new URL(".", url);
    folder.search = url.search;
    return { from: folder, file };
  }
  if (!/\.gguf$/i.test(text)) return isNode() ? inFolder(from) : undefined;
  const [, name, onHub] = HUB_FILE.exec(text) ?? [];
  if (name !== undefined && !(isNode() && nodeFiles().syncFs.existsSync(text)))
    return { from: new URL(hubAddress(name, options)), file: onHub };
  if (!isNode()) {
    const cut = text.lastIndexOf("/") + 1;
    return { from: cut === 0 ? "./" : text.slice(0, cut), file: text.slice(cut) };
  }
  const { path } = nodeFiles();
  const whole = toPath(from);
  return { from: path.dirname(path.resolve(whole)), file: path.basename(whole) };
}

/** The one GGUF file of a local folder that has no checkpoint. */
function inFolder(from: string | URL): GgufPlace | undefined {
  const { syncFs, path } = nodeFiles();
  const folder = path.resolve(toPath(from));
  if (!syncFs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const names = syncFs.readdirSync(folder);
  if (names.includes("config.json")) return undefined;
  const found = modelsAmong(names).toSorted();
  if (found.length > 1) {
    const some = found.slice(0, 4).join(", ");
    throw new FormatError(
      `${String(from)} has several GGUF files; one of them is wanted: ${some}${found.length > 4 ? ", ..." : ""}`,
    );
  }
  return found.length === 1 ? { from: folder, file: found[0]! } : undefined;
}

/** Names of files at hand; a source cannot list what it has. */
function namesOf(from: Exclude<SourceLike, string | URL>): readonly string[] | undefined {
  if (typeof from !== "object" || from === null) return undefined;
  if (Array.isArray(from) || (typeof FileList !== "undefined" && from instanceof FileList))
    return Array.from(from as ArrayLike<File>, ({ name }) => name);
  if ("stream" in from || "getFileHandle" in from) return undefined;
  const paths = from instanceof Map ? [...from.keys()] : Object.keys(from);
  return paths.map((path: string) => path.slice(path.lastIndexOf("/") + 1));
}
