import { StatespaceError } from "@statespace/core";

/** A disk, a quota or a page's storage has no room for what was to be written; nothing of it was kept, and what was there before stays. */
export class StorageFullError extends StatespaceError {
  override readonly name: string = "StorageFullError";
}

/** What systems and browsers say of storage that is full. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is larger than this system allows",
  QuotaExceededError: "the page's storage is full",
  NS_ERROR_DOM_QUOTA_REACHED: "the page's storage is full",
};

/** An error of writing as it is, or as {@link StorageFullError} where there is no room. */
export function asStorageFull(error: unknown, what: string): unknown {
  if (typeof error !== "object" || error === null || error instanceof StorageFullError) return error;
  const { code, name } = error as { code?: unknown; name?: unknown };
  const found = [code, name].find((each): each is string => typeof each === "string" && Object.hasOwn(REASONS, each));
  if (found === undefined) return error;
  return new StorageFullError(
    `${what}: ${REASONS[found]!} (${found}); nothing of it was kept: make room, then call again`,
    { cause: error },
  );
}
