/** A space is a token's most common first letter, and must be seen. */
export const shownToken = (token: string): string => token.replaceAll(" ", "␣").replaceAll("\n", "⏎");
