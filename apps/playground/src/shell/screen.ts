import { createSignal, type Accessor } from "solid-js";

/** Whether the window is as a query of media says. */
function matching(query: string): Accessor<boolean> {
  const asked = matchMedia(query);
  const [matches, setMatches] = createSignal(asked.matches);
  asked.addEventListener("change", () => setMatches(asked.matches));
  return matches;
}

/**
 * A phone, or a narrow window: one column. As wide as the style sheet's own limit for phones; paper is narrow, too, but has no finger to
 * unfold a text with.
 */
export const narrow: Accessor<boolean> = matching("screen and (max-width: 56rem)");

/** A phone held upright: pictures that lie broad elsewhere stand tall here, so that nothing must be moved sideways. */
export const upright: Accessor<boolean> = matching("(max-width: 40rem)");
