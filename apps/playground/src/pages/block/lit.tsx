import { createSignal, type JSX } from "solid-js";

/** Parts of a block that stand in the equation, in the picture and in the code. */
export const PARTS = [
  "stream",
  "v",
  "z",
  "conv",
  "u",
  "delta",
  "ABar",
  "B",
  "C",
  "D",
  "x",
  "y",
  "gate",
  "out",
] as const;
export type Part = (typeof PARTS)[number];

const [pointed, setPointed] = createSignal<Part>();
const [held, setHeld] = createSignal<Part>();

/** The part that is pointed at, or was chosen by a tap or a key. */
export const lit = (): Part | undefined => pointed() ?? held();

interface Lighting {
  readonly onPointerEnter: (event: PointerEvent) => void;
  readonly onPointerLeave: () => void;
  readonly onClick: () => void;
}

/** What makes an element light its part everywhere; fingers hold by tapping, since they cannot hover. */
export const lights = (part: Part): Lighting => ({
  onPointerEnter: (event) => event.pointerType === "mouse" && setPointed(part),
  onPointerLeave: () => setPointed(undefined),
  onClick: () => setHeld(held() === part ? undefined : part),
});

/** A symbol of the equation: a button, so that keys reach it. */
export function Symbol(props: { of: Part; about: string; text: string }): JSX.Element {
  return (
    <button
      type="button"
      class="sym"
      classList={{ lit: lit() === props.of }}
      aria-label={`${props.text}: ${props.about}`}
      aria-pressed={held() === props.of}
      data-part={props.of}
      {...lights(props.of)}
    >
      {props.text}
    </button>
  );
}
