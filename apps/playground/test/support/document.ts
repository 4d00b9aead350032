const target = { addEventListener: () => undefined, removeEventListener: () => undefined };
const store = (): Storage => {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  } as unknown as Storage;
};
/** Just enough of a browser's globals for modules of the app to load in Node; nothing is drawn. Call it before they are imported. */
export function pretendDocument(): void {
  Object.assign(globalThis, {
    ...target,
    window: { ...target, matchMedia: () => ({ matches: false, ...target }) },
    location: { hash: "" },
    history: { state: null, replaceState: () => undefined },
    localStorage: store(),
    sessionStorage: store(),
  });
}
