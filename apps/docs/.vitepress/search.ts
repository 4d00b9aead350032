/**
 * Words of a text for the search: letters and digits in a row, camel case in its parts too, and each pair of neighbouring Chinese characters,
 * since Chinese has no spaces. The function is sent to the page as its source, so it uses nothing from outside.
 */
export function cjkTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const word of text.match(/[\p{L}\p{N}_]+/gu) ?? []) {
    for (const run of word.match(/\p{Script=Han}+|[^\p{Script=Han}]+/gu) ?? []) {
      if (!/\p{Script=Han}/u.test(run)) {
        tokens.push(run, ...run.split(/_|(?<=[a-z0-9])(?=[A-Z])/).filter((part) => part !== run && part !== ""));
        continue;
      }
      if (run.length === 1) tokens.push(run);
      for (let i = 0; i + 1 < run.length; i++) tokens.push(run.slice(i, i + 2));
    }
  }
  return tokens;
}
