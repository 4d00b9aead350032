/** One line of a plot. Points are drawn in order; x is the index unless given. */
export interface Series {
  label: string;
  y: ArrayLike<number>;
  x?: ArrayLike<number>;
  color?: string;
  width?: number;
  dashed?: boolean;
}

/** One pair of axes; a figure stacks several. */
export interface Panel {
  title: string;
  series: readonly Series[];
  xLabel?: string;
  yLabel?: string;
  /** Logarithmic y axis; values that are not positive leave a gap. */
  logY?: boolean;
  /** Fixed y range; fitted to the data unless given. */
  yRange?: readonly [number, number];
}

interface Range {
  low: number;
  high: number;
}

interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  x: Range;
  y: Range; // in decades where the axis is logarithmic
  logY: boolean;
}

const PALETTE = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"];
const INK = "#1f2937";
const MUTED = "#6b7280";
const GRID = "#e5e7eb";
const FONT = `font-family="ui-sans-serif, system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif"`;
const MARGIN = { left: 72, right: 20, top: 52, bottom: 50 };

/** Draws line plots as a self-contained SVG document, panels stacked from the top. Sizes in pixels. */
export function plotSvg(panels: readonly Panel[], size: { width?: number; panelHeight?: number } = {}): string {
  const { width = 900, panelHeight = 300 } = size;
  const height = panelHeight * panels.length;
  const body = panels.map((panel, index) => drawPanel(panel, index * panelHeight, width, panelHeight)).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT}>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${body}
</svg>
`;
}

function drawPanel(panel: Panel, offset: number, width: number, height: number): string {
  const frame: Frame = {
    left: MARGIN.left,
    top: offset + MARGIN.top,
    width: width - MARGIN.left - MARGIN.right,
    height: height - MARGIN.top - MARGIN.bottom,
    x: rangeOf(panel.series.flatMap(({ x, y }) => (x ? Array.from(x) : [0, y.length - 1]))),
    y: yRange(panel),
    logY: panel.logY ?? false,
  };
  const clip = `clip-${offset}`;
  const lines = panel.series.map((series, index) => drawLine(series, frame, PALETTE[index % PALETTE.length]));
  return [
    `<clipPath id="${clip}"><rect x="${frame.left}" y="${frame.top}" width="${frame.width}" height="${frame.height}"/></clipPath>`,
    text(panel.title, frame.left, frame.top - 30, { size: 15, weight: 600 }),
    drawXAxis(frame, panel.xLabel),
    drawYAxis(frame, panel.yLabel),
    `<g clip-path="url(#${clip})" fill="none" stroke-linejoin="round">${lines.join("")}</g>`,
    `<rect x="${frame.left}" y="${frame.top}" width="${frame.width}" height="${frame.height}" fill="none" stroke="${MUTED}" stroke-width="0.8"/>`,
    drawLegend(panel.series, frame),
  ].join("\n");
}

function drawXAxis(frame: Frame, label?: string): string {
  const bottom = frame.top + frame.height;
  const ticks = linearTicks(frame.x, Math.max(2, Math.floor(frame.width / 90))).map((value) => {
    const x = px(frame, value);
    return (
      line(x, frame.top, x, bottom, GRID) +
      line(x, bottom, x, bottom + 4, MUTED) +
      text(format(value), x, bottom + 18, { anchor: "middle" })
    );
  });
  if (label) ticks.push(text(label, frame.left + frame.width / 2, bottom + 38, { anchor: "middle", color: INK }));
  return ticks.join("");
}

function drawYAxis(frame: Frame, label?: string): string {
  const count = Math.max(2, Math.floor(frame.height / 42));
  const values = frame.logY ? decadeTicks(frame.y, count) : linearTicks(frame.y, count);
  const ticks = values.map((value) => {
    const y = py(frame, value);
    const name = frame.logY ? powerOfTen(value) : format(value);
    return (
      line(frame.left, y, frame.left + frame.width, y, GRID) +
      line(frame.left - 4, y, frame.left, y, MUTED) +
      text(name, frame.left - 8, y + 4, { anchor: "end" })
    );
  });
  const middle = frame.top + frame.height / 2;
  if (label) ticks.push(text(label, 18, middle, { anchor: "middle", color: INK, turn: true }));
  return ticks.join("");
}

/** A line with one extreme pair for each pixel column where points are denser than pixels, so that no peak is lost and files stay small. */
function drawLine(series: Series, frame: Frame, fallback: string): string {
  const { y, x, color = fallback, width = 1.6, dashed = false } = series;
  const columns = new Map<number, number[]>(); // pixel column -> first, lowest, highest, last point
  for (let i = 0; i < y.length; i++) {
    const column = Math.round(px(frame, x ? x[i] : i));
    const held = columns.get(column);
    if (!held) columns.set(column, [i, i, i, i]);
    else {
      if (y[i] < y[held[1]]) held[1] = i;
      if (y[i] > y[held[2]]) held[2] = i;
      held[3] = i;
    }
  }
  let path = "";
  let pen = "M";
  for (const held of columns.values()) {
    for (const i of [...new Set(held)].toSorted((a, b) => a - b)) {
      const value = frame.logY ? Math.log10(y[i]) : y[i];
      if (!Number.isFinite(value)) {
        pen = "M";
        continue;
      }
      path += `${pen}${px(frame, x ? x[i] : i).toFixed(1)} ${py(frame, value).toFixed(1)}`;
      pen = "L";
    }
  }
  return `<path d="${path}" stroke="${color}" stroke-width="${width}"${dashed ? ' stroke-dasharray="6 4"' : ""}/>`;
}

/** The legend stands above the frame, right-aligned, where it hides no data. */
function drawLegend(series: readonly Series[], frame: Frame): string {
  let x = frame.left + frame.width;
  const y = frame.top - 12;
  const entries: string[] = [];
  for (const [index, { label, color = PALETTE[index % PALETTE.length], dashed = false }] of [
    ...series.entries(),
  ].toReversed()) {
    x -= label.length * 5.7 + 5; // about the advance of the font at 12 px
    entries.push(text(label, x, y + 4, { color: INK }));
    x -= 28;
    entries.push(
      `<line x1="${x}" y1="${y}" x2="${x + 22}" y2="${y}" stroke="${color}" stroke-width="2.4"${dashed ? ' stroke-dasharray="6 4"' : ""}/>`,
    );
    x -= 16;
  }
  return entries.join("");
}

function yRange({ series, logY, yRange: fixed }: Panel): Range {
  if (fixed) return { low: logY ? Math.log10(fixed[0]) : fixed[0], high: logY ? Math.log10(fixed[1]) : fixed[1] };
  const values = series.flatMap(({ y }) => Array.from(y, (value) => (logY ? Math.log10(value) : value)));
  const { low, high } = rangeOf(values);
  if (logY) return { low: Math.floor(low), high: Math.ceil(high) };
  const margin = 0.06 * (high - low);
  return { low: low - margin, high: high + margin };
}

/** The extent of the finite values, widened where they are all the same. */
function rangeOf(values: readonly number[]): Range {
  let low = Infinity,
    high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { low: 0, high: 1 };
  return low === high ? { low: low - 0.5, high: high + 0.5 } : { low, high };
}

/** Multiples of 1, 2 or 5 times a power of ten inside the range, about `count` of them. */
function linearTicks({ low, high }: Range, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return ticks;
}

function decadeTicks({ low, high }: Range, count: number): number[] {
  const step = Math.max(1, Math.ceil((high - low) / count));
  const ticks: number[] = [];
  for (let decade = Math.ceil(low); decade <= high; decade += step) ticks.push(decade);
  return ticks;
}

function format(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(0);
  return Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 6 });
}

function powerOfTen(exponent: number): string {
  const superscript = String(exponent)
    .replace("-", "⁻")
    .replaceAll(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]);
  return `10${superscript}`;
}

function px(frame: Frame, x: number): number {
  return frame.left + ((x - frame.x.low) / (frame.x.high - frame.x.low)) * frame.width;
}

function py(frame: Frame, y: number): number {
  return frame.top + frame.height - ((y - frame.y.low) / (frame.y.high - frame.y.low)) * frame.height;
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  const at = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${at[0]}" y1="${at[1]}" x2="${at[2]}" y2="${at[3]}" stroke="${color}"/>`;
}

interface TextStyle {
  size?: number;
  weight?: number;
  color?: string;
  anchor?: "start" | "middle" | "end";
  turn?: boolean;
}

function text(content: string, x: number, y: number, style: TextStyle = {}): string {
  const { size = 12, weight = 400, color = style.weight ? INK : MUTED, anchor = "start", turn = false } = style;
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const rotate = turn ? ` transform="rotate(-90 ${x} ${y.toFixed(1)})"` : "";
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}"${rotate}>${escaped}</text>`;
}
