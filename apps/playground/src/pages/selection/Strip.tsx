import { createSignal, For, type JSX } from "solid-js";
import { letterName, moveLetter, nearestLetter, setLetter, type Letter } from "./sequence.ts";
import { messages as m } from "./messages.ts";

interface Drag {
  readonly place: number;
  readonly moved: boolean;
  /** Where the pointer went down, pixels. */
  readonly x: number;
  readonly y: number;
  readonly before: readonly Letter[];
}

/** Pixels from which a press is a drag. */
const DRAG_FROM = 5;

/** The sequence as a row of places. Letters can be dragged, clicked through and moved with the keyboard. */
export function Strip(props: {
  letters: readonly Letter[];
  seqLen: number;
  alphabet: number;
  nTokens: number;
  onChange: (letters: Letter[]) => void;
}): JSX.Element {
  let row: HTMLDivElement | undefined;
  const [dragged, setDragged] = createSignal<Drag>();
  let justMoved = false;
  const [focus, setFocus] = createSignal(0);
  const at = (place: number): Letter | undefined => props.letters.find((letter) => letter.place === place);
  const placeAt = (clientX: number): number => {
    const box = row!.getBoundingClientRect();
    return Math.floor(((clientX - box.left) / box.width) * (props.seqLen + props.nTokens));
  };

  function cycle(place: number): void {
    const letter = at(place);
    if (letter) props.onChange(setLetter(props.letters, place, (letter.token % props.alphabet) + 1));
    else props.onChange(moveLetter(props.letters, nearestLetter(props.letters, place).place, place, props.seqLen));
  }

  function onPointerDown(event: PointerEvent): void {
    const place = placeAt(event.clientX);
    if (at(place)) setDragged({ place, moved: false, x: event.clientX, y: event.clientY, before: props.letters });
  }

  function onPointerMove(event: PointerEvent & { currentTarget: HTMLElement }): void {
    const from = dragged();
    if (!from) return;
    if (!from.moved) {
      const [dx, dy] = [Math.abs(event.clientX - from.x), Math.abs(event.clientY - from.y)];
      if (Math.max(dx, dy) < DRAG_FROM) return;
      // a swipe up or down is for the page
      if (dy > dx) return void setDragged(undefined);
      event.currentTarget.setPointerCapture(event.pointerId);
    }
    const to = placeAt(event.clientX);
    if (to === from.place || to < 0 || to >= props.seqLen || at(to)) return;
    props.onChange(moveLetter(props.letters, from.place, to, props.seqLen));
    setDragged({ ...from, place: to, moved: true });
  }

  /** The browser took the gesture for a scroll: the letter stands where it stood. */
  function onPointerCancel(): void {
    const from = dragged();
    setDragged(undefined);
    if (from?.moved) props.onChange([...from.before]);
  }

  function onClick(event: MouseEvent): void {
    if (event.detail === 0) return; // the keyboard's click: the key was handled
    const place = placeAt(event.clientX);
    if (!justMoved && place >= 0 && place < props.seqLen) cycle(place);
    justMoved = false;
  }

  function onPointerUp(): void {
    justMoved = dragged()?.moved ?? false;
    setDragged(undefined);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const place = focus();
    if (step !== undefined) {
      const to = Math.max(0, Math.min(props.seqLen - 1, place + step));
      if (event.shiftKey && at(place) && !at(to)) props.onChange(moveLetter(props.letters, place, to, props.seqLen));
      focusPlace(to);
    } else if (event.key === "Enter" || event.key === " ") cycle(place);
    else if (/^[a-h]$/i.test(event.key) && at(place)) {
      const token = event.key.toUpperCase().charCodeAt(0) - 64;
      if (token <= props.alphabet) props.onChange(setLetter(props.letters, place, token));
    } else return;
    event.preventDefault();
  }

  function focusPlace(place: number): void {
    setFocus(place);
    queueMicrotask(() => row?.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus());
  }

  return (
    <div
      ref={(element) => (row = element)}
      class="strip"
      role="group"
      aria-label={m().strip}
      data-testid="strip"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerCancel}
      onClick={onClick}
      onKeyDown={onKeyDown}
    >
      <For each={Array.from({ length: props.seqLen }, (_, place) => place)}>
        {(place) => (
          <button
            type="button"
            class="place"
            classList={{ letter: at(place) !== undefined, dragged: dragged()?.place === place }}
            style={at(place) ? { "--tone": `var(--token-${at(place)!.token})` } : {}}
            tabIndex={focus() === place ? 0 : -1}
            data-place={place}
            aria-label={at(place) ? m().letterAt(letterName(at(place)!.token), place + 1) : m().noiseAt(place + 1)}
            onFocus={() => setFocus(place)}
          >
            {at(place) ? letterName(at(place)!.token) : "·"}
          </button>
        )}
      </For>
      <For each={Array.from({ length: props.nTokens }, (_, i) => i)}>
        {() => (
          <span class="place question" aria-hidden="true">
            ?
          </span>
        )}
      </For>
    </div>
  );
}

/** Bars aligned with the places of the strip. */
export function Bars(props: {
  label: string;
  values: ArrayLike<number>;
  length: number;
  tone: string;
  colors: readonly (string | undefined)[];
}): JSX.Element {
  const largest = (): number => Math.max(1e-30, ...Array.from(props.values));
  return (
    <div class="bars" role="img" aria-label={props.label} style={{ "--tone": `var(--${props.tone})` }}>
      <For each={Array.from({ length: props.length }, (_, i) => i)}>
        {(i) => (
          <span
            style={{
              height: `${(100 * (props.values[i] ?? 0)) / largest()}%`,
              ...(props.colors[i] ? { background: props.colors[i] } : {}),
            }}
          />
        )}
      </For>
    </div>
  );
}
