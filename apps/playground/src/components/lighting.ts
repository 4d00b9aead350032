import { createEffect, createRoot, createSignal, type Accessor } from "solid-js";

/**
 * Words of the running text that light their part of the figure, and the reverse. A catalogue writes `{part|words}`; the figure's elements say
 * `data-shows="part"`, and are told from all others by one rule that names the part, so that no figure has to listen.
 */
const [pointed, setPointed] = createSignal<string>();
const [held, setHeld] = createSignal<string>();

/** The part that is pointed at, or was chosen by a tap or a key. */
export const lit: Accessor<string | undefined> = () => pointed() ?? held();
export const isHeld = (part: string): boolean => held() === part;

/** A mouse points; fingers hold by tapping, since they cannot hover. */
export const point = (part: string | undefined, event?: PointerEvent): void => {
  if (event === undefined || event.pointerType === "mouse") setPointed(part);
};
export const hold = (part: string): void => void setHeld(held() === part ? undefined : part);
export const letGo = (): void => {
  setPointed(undefined);
  setHeld(undefined);
};

/** A catalogue's text with its words as buttons, so that keys reach them. */
export const withWords = (html: string): string =>
  html.replace(
    /\{([\w-]+)\|([^}]+)\}/g,
    '<button type="button" class="word" data-lights="$1" aria-pressed="false">$2</button>',
  );

const partOf = (target: EventTarget | null): string | undefined => {
  const found = (target as Element | null)?.closest<HTMLElement>("[data-lights], [data-shows]");
  return found?.dataset["lights"] ?? found?.dataset["shows"];
};

/** What an article listens to for all of its words and figures. */
export const lighting = {
  onPointerOver: (event: PointerEvent): void => point(partOf(event.target), event),
  onPointerLeave: (): void => point(undefined),
  onClick: (event: MouseEvent): void => {
    const word = (event.target as Element).closest<HTMLElement>("[data-lights]");
    if (word === null) return;
    hold(word.dataset["lights"]!);
    for (const each of document.querySelectorAll<HTMLElement>(".word"))
      each.ariaPressed = String(isHeld(each.dataset["lights"]!));
  },
};

const rulesOf = (part: string): string => `
  .word[data-lights="${part}"] { background: var(--accent-soft); }
  [data-shows="${part}"] { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
  svg [data-shows="${part}"] { outline: none; stroke: var(--accent); stroke-width: 4px; }
  svg text[data-shows="${part}"] { stroke: none; fill: var(--accent); font-weight: 700; }`;

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);
createRoot(() =>
  createEffect(() => {
    const part = lit();
    sheet.replaceSync(part === undefined ? "" : rulesOf(part));
  }),
);
