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
