import { createSignal, type Accessor } from "solid-js";

/** As wide as the style sheet's own limit for phones. */
const query = matchMedia("(max-width: 56rem)");
const [matches, setMatches] = createSignal(query.matches);
query.addEventListener("change", () => setMatches(query.matches));

/** A phone, or a narrow window: one column. */
export const narrow: Accessor<boolean> = matches;
