/**
 * The first TypeScript or JavaScript block of a README.
 * @param {string} readme
 * @returns {{ code: string, extension: "ts" | "mjs" } | undefined}
 */
export function firstExample(readme) {
  const block = /^```(ts|typescript|js|javascript|mjs)\b[^\n]*\n([\s\S]*?)^```/m.exec(readme);
  if (block === null) return undefined;
  return { code: block[2], extension: block[1].startsWith("t") ? "ts" : "mjs" };
}

/**
 * What the README's first `npm install` line names.
 * @param {string} readme
 * @returns {string[]} package names, without flags
 */
export function installLine(readme) {
  const line = /^(?:\$ )?npm (?:install|i|add) (.+)$/m.exec(readme);
  return line === null ? [] : line[1].split(/\s+/).filter((word) => /^@?[a-z]/.test(word));
}
