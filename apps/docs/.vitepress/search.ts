/**
 * Words of a text for the search: letters and digits in a row, camel case in its parts too, and each pair of neighbouring Chinese characters,
 * since Chinese has no spaces. A text that is one word, as the title of a name's page and what one types to find it, is a word of its own beside that,
 * so that the page named `load` is found before all that load. The function is sent to the page as its source, so it uses nothing from outside.
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
  const whole = text.replaceAll(/[\s\u200b]/g, "");
  if (/^[A-Za-z_]\w*$/.test(whole)) tokens.push(`=${whole}`);
  return tokens;
}

/**
 * Pages that were written by hand come before those made from declarations, which are forty times as many; of these, a name comes before what is told of
 * its parts. Sent to the page as its source, as above.
 */
export function written(id: string, term: string): number {
  if (!id.includes("/reference/")) return 3;
  const isName = /\/([^/]+)\.html#\1$/i.test(id);
  if (term.startsWith("=")) return isName ? 8 : 0.7;
  return isName ? 1.5 : 0.7;
}

/** Settings of the search, of the index and of the box. */
export const miniSearch = {
  options: { tokenize: cjkTokens },
  searchOptions: { fuzzy: 0.2, prefix: true, boost: { title: 4 }, boostDocument: written },
};
