import type { JSX } from "solid-js"; export default function P(): JSX.Element { return <p>x</p>; }
