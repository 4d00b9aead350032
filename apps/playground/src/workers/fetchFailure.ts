/**
 * Whether an import failed because its code did not come, and not because of what the code did. Engines tell the first in words of their own (V8 and
 * Gecko, WebKit); a style sheet that a chunk needs and that does not come is told by the build's own loader.
 */
export function isFetchFailure(error: unknown): boolean {
  return (
    error instanceof Error &&
    /dynamically imported module|importing a module script|unable to preload/i.test(error.message)
  );
}
