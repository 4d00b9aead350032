/** Choices that outlive the tab; a browser that refuses storage just forgets. */
export function remembered(key: string): string | undefined {
  try {
    return localStorage.getItem(`statespace.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`statespace.${key}`, value);
  } catch {
    // private windows may refuse; the choice then lasts as long as the page
  }
}
