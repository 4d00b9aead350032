import type { Accessor, JSX } from "solid-js";
import { shell } from "../../shell/shellMessages.ts";
import { hold, isHeld, lit as litAnywhere, point } from "../../components/lighting.ts";

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

export const lit: Accessor<Part | undefined> = litAnywhere as Accessor<Part | undefined>;

interface Lighting {
  readonly onPointerEnter: (event: PointerEvent) => void;
  readonly onPointerLeave: () => void;
  readonly onClick: () => void;
}

/** What makes an element light its part everywhere. */
export const lights = (part: Part): Lighting => ({
  onPointerEnter: (event) => point(part, event),
  onPointerLeave: () => point(undefined),
  onClick: () => hold(part),
});

/** A symbol of the equation: a button, so that keys reach it. */
export function Symbol(props: { of: Part; about: string; text: string }): JSX.Element {
  return (
    <button
      type="button"
      class="sym"
      classList={{ lit: lit() === props.of }}
      aria-label={`${props.text}${shell().colon}${props.about}`}
      aria-pressed={isHeld(props.of)}
      data-part={props.of}
      {...lights(props.of)}
    >
      {props.text}
    </button>
  );
}
