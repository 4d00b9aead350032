import { nodeFiles } from "./nodeFiles.ts";

/** What is being written in this process. */
const claimed = new Set<string>();

/** A file that is being written, under the name that it has until then. */
export interface UnfinishedFile {
  readonly path: string;
  release(): void;
}

/** Whether a process runs on this machine. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/** Files beside one that were to become it: `model.gguf.0123456789abcdef.4711.part`, of the identity and the process that writes. */
async function unfinishedBeside(
  file: string,
): Promise<readonly { readonly path: string; readonly tag: string; readonly pid: number }[]> {
  const { fs, path } = nodeFiles();
  const [folder, base] = [path.dirname(file), path.basename(file)];
  return (await fs.readdir(folder)).flatMap((name) => {
    const [, tag, pid] = name.startsWith(base)
      ? (/^\.([0-9a-f]{16})\.(\d+)\.part$/.exec(name.slice(base.length)) ?? [])
      : [];
    return tag === undefined ? [] : [{ path: path.join(folder, name), tag, pid: Number(pid) }];
  });
}

/** Takes over what a process that is no more left of a file of the same identity, or begins one. Errors: what the file system throws. */
export async function claimUnfinished(file: string, identity: string): Promise<UnfinishedFile> {
  const { fs, crypto } = nodeFiles();
  const tag = crypto.createHash("sha256").update(identity).digest("hex").slice(0, 16);
  const own = (of: string): string => `${file}.${of}.${process.pid}.part`;
  // Another call of this process that writes the same: each has a file of its own.
  let path = own(tag);
  while (claimed.has(path)) path = own(crypto.randomBytes(8).toString("hex"));
  claimed.add(path);
  const left = (await unfinishedBeside(file)).filter(
    (each) => each.tag === tag && (each.pid === process.pid || !runs(each.pid)),
  );
  for (const { path: found } of left) {
    if (found === path) break;
    if (claimed.has(found)) continue;
    try {
      // Of two that want it one comes first.
      await fs.rename(found, path);
      break;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    }
  }
  await (await fs.open(path, "a")).close();
  return { path, release: () => void claimed.delete(path) };
}

/** Removes what processes that are no more left of a file. */
export async function removeUnfinished(file: string): Promise<void> {
  const { fs } = nodeFiles();
  for (const { path, pid } of await unfinishedBeside(file))
    if (!claimed.has(path) && (pid === process.pid || !runs(pid))) await fs.rm(path, { force: true });
}
