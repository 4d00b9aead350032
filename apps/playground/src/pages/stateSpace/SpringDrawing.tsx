import type { JSX } from "solid-js";

const REST = 200;
const COILS = 12;

/** The spring, the mass and the force on it. One unit of position is 60 pixels. */
export function SpringDrawing(props: { position: number; force: number; label: string }): JSX.Element {
  const x = (): number => REST + 60 * Math.max(-2.6, Math.min(5, Number.isFinite(props.position) ? props.position : 5));
  const coil = (): string => {
    const width = (x() - 30) / COILS;
    return Array.from({ length: COILS }, (_, i) => `L${20 + width * (i + 0.5)} ${i % 2 === 0 ? 30 : 62}`).join("");
  };
  return (
    <svg viewBox="0 0 560 92" role="img" aria-label={props.label} style={{ width: "100%", "max-height": "110px" }}>
      <path d="M20 6V86M0 86H560" stroke="var(--quiet)" stroke-width="2" fill="none" />
      <path
        d={`M20 46${coil()}L${x() - 24} 46`}
        stroke="var(--attention)"
        stroke-width="2"
        fill="none"
        stroke-linejoin="round"
      />
      <line x1={REST} x2={REST} y1="10" y2="86" stroke="var(--line)" stroke-dasharray="4 4" />
      <rect x={x() - 24} y="24" width="48" height="60" rx="8" fill="var(--accent)" />
      <path
        d={`M${x()} 54h${14 * props.force}${props.force === 0 ? "" : `l${-6 * Math.sign(props.force)} -6m${6 * Math.sign(props.force)} 6l${-6 * Math.sign(props.force)} 6`}`}
        stroke="var(--s4)"
        stroke-width="4"
        fill="none"
        stroke-linecap="round"
      />
    </svg>
  );
}
