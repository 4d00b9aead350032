import { createSignal, type Accessor } from "solid-js";

/** As wide as the style sheet's own limit for phones. Paper is narrow, too, but has no finger to unfold a text with. */
const query = matchMedia("screen and (max-width: 56rem)");
const [matches, setMatches] = createSignal(query.matches);
query.addEventListener("change", () => setMatches(query.matches));

/** A phone, or a narrow window: one column. */
export const narrow: Accessor<boolean> = matches;
