/** One picture of the report, as an SVG that needs nothing and can be read on light and dark pages. */
import { type Cell, DEGRADATIONS, healthy, sick } from './cells.ts';
import type { MethodName } from './comparators/create.ts';
import type { CellFigures, MethodFigures } from './figures.ts';
import { HEALTHY_WORLDS, RATES } from './plan.ts';
import type { Report } from './report.ts';

const WIDTH = 1060;
const TOP = 118;
const ROW = 62;
const LANE = 10;
const METHODS: readonly { readonly name: MethodName; readonly label: string }[] = [
  { name: 'slipstream', label: 'Slipstream' },
  { name: 'kayenta', label: 'Kayenta (Mann-Whitney), each minute' },
  { name: 'flagger', label: 'Flagger limits (1 %, 500 ms, 5 failures)' },
  { name: 'zTestTolerant', label: 'z-test each second, same tolerances' },
  { name: 'zTest', label: 'z-test each second' },
];
const WORLD_TEXT: Readonly<Record<string, string>> = {
  iid: 'independent requests',
  shared: 'load, drift, outages',
  ramp: '… while the split grows',
  clustered: '… pauses, error bursts',
  pods: '… pods of unlike speed',
};

const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2933 }
  .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #52606d }
  .page { fill: #ffffff } .band { fill: #f3f5f7 } .grid { stroke: #d5dbe1 } .limit { stroke: #1f2933; stroke-dasharray: 4 3 }
  .slipstream { fill: #0d9488; stroke: #0d9488 } .kayenta { fill: #c2410c; stroke: #c2410c } .flagger { fill: #7c3aed; stroke: #7c3aed }
  .zTestTolerant { fill: #2563eb; stroke: #2563eb } .zTest { fill: #64748b; stroke: #64748b } .ring { fill-opacity: 0; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ebf0 } .small { fill: #a3b0bd } .page { fill: #12181f } .band { fill: #1a222b } .grid { stroke: #33404d } .limit { stroke: #e6ebf0 }
    .slipstream { fill: #2dd4bf; stroke: #2dd4bf } .kayenta { fill: #fb923c; stroke: #fb923c } .flagger { fill: #c4a1ff; stroke: #c4a1ff }
    .zTestTolerant { fill: #7db0ff; stroke: #7db0ff } .zTest { fill: #94a3b8; stroke: #94a3b8 }
  }`;

/** A panel's logarithmic scale, with a place of its own at one end for what has no logarithm. */
interface Axis {
  readonly left: number;
  readonly right: number;
  readonly low: number;
  readonly high: number;
}

function along({ left, right, low, high }: Axis, value: number): number {
  const part = Math.log(value / low) / Math.log(high / low);
  return left + (right - left) * Math.min(1, Math.max(0, part));
}

export function plotOf(report: Report): string {
  const byId = new Map(report.cells.map((cell) => [cell.id, cell]));
  const degradations = Object.keys(DEGRADATIONS);
  const rows = Math.max(HEALTHY_WORLDS.length, degradations.length);
  const height = TOP + rows * ROW + 78;
  const left = panel({
    title: 'Healthy canaries rolled back within an hour',
    names: HEALTHY_WORLDS.map((world) => WORLD_TEXT[world] ?? world),
    labelX: 20,
    axis: { left: 264, right: 520, low: 0.001, high: 1 },
    rowHeight: (rows * ROW) / HEALTHY_WORLDS.length,
    ticks: [0.001, 0.01, 0.1, 1].map((value) => ({ value, text: `${value * 100} %` })),
    odd: { x: 226, text: '0' },
    limit: { value: 0.01, text: 'α = 1 %' },
    marks: (row, axis, odd) => rateMarks(byId, (rate) => healthy(HEALTHY_WORLDS[row] as 'iid', rate, 1), axis, odd),
  });
  const right = panel({
    title: 'Time until half of the sick canaries are rolled back',
    names: degradations.map((name) => name.replace('x', '× ').replace('err', 'errors').replace('%', ' %')),
    labelX: 560,
    axis: { left: 650, right: 990, low: 1, high: 3600 },
    rowHeight: ROW,
    ticks: [1, 10, 60, 300, 1800].map((value) => ({ value, text: value < 60 ? `${value} s` : `${value / 60} min` })),
    odd: { x: 1022, text: 'never' },
    limit: null,
    marks: (row, axis, odd) => medianMarks(byId, (rate) => sick(degradations[row] as string, rate, 1), axis, odd),
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="False rollbacks of healthy canaries and time to detect sick ones, by method">
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${height}" rx="6"/>
${legend()}
${left}
${right}
<text class="small" x="20" y="${height - 18}">Dots: 100 requests a second to the canary; rings: 10. Bars at the left: up to the exact 95 % upper bound. Same simulated traffic for all; never: not within an hour.</text>
</svg>
`;
}

function legend(): string {
  const columns = [20, 150, 440, 760];
  return METHODS.map(({ name, label }, index) => {
    const x = columns[Math.min(index, columns.length - 1)] as number;
    const y = index < columns.length ? 28 : 50;
    return `<circle class="${name}" cx="${x + 5}" cy="${y - 4}" r="5"/><text x="${x + 16}" y="${y}">${label}</text>`;
  }).join('\n');
}

interface Panel {
  readonly title: string;
  readonly names: readonly string[];
  readonly labelX: number;
  readonly axis: Axis;
  readonly rowHeight: number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
  readonly odd: { readonly x: number; readonly text: string };
  readonly limit: { readonly value: number; readonly text: string } | null;
  /** Marks of a row whose middle is at y = 0. */
  marks(row: number, axis: Axis, oddX: number): string;
}

function panel({ title, names, labelX, axis, rowHeight, ticks, odd, limit, marks }: Panel): string {
  const bottom = TOP + names.length * rowHeight;
  const right = Math.max(axis.right, odd.x) + 18;
  const bands = names.map((name, row) => {
    const y = TOP + row * rowHeight;
    const band = row % 2 === 0 ? `<rect class="band" x="${labelX - 8}" y="${y}" width="${right - labelX + 8}" height="${rowHeight}"/>` : '';
    return `${band}<text x="${labelX}" y="${y + rowHeight / 2 + 4}">${name}</text>`;
  });
  const lines = [...ticks.map(({ value, text }) => ({ x: along(axis, value), text })), odd].map(
    ({ x, text }) =>
      `<line class="grid" x1="${n(x)}" x2="${n(x)}" y1="${TOP}" y2="${bottom}"/><text class="small" text-anchor="middle" x="${n(x)}" y="${bottom + 18}">${text}</text>`,
  );
  const limitX = limit === null ? 0 : along(axis, limit.value);
  const limitLine =
    limit === null
      ? ''
      : `<line class="limit" x1="${n(limitX)}" x2="${n(limitX)}" y1="${TOP - 6}" y2="${bottom}"/><text class="small" text-anchor="middle" x="${n(limitX)}" y="${TOP - 10}">${limit.text}</text>`;
  const rows = names.map((_, row) => `<g transform="translate(0 ${n(TOP + (row + 0.5) * rowHeight)})">${marks(row, axis, odd.x)}</g>`);
  return [`<text class="title" x="${labelX}" y="86">${title}</text>`, ...bands, ...lines, limitLine, ...rows].join('\n');
}

type Cells = ReadonlyMap<string, CellFigures>;

function eachMark(cells: Cells, cellOf: (rate: number) => Cell, draw: (figures: MethodFigures, kind: string, y: number) => string): string {
  return METHODS.flatMap(({ name }, lane) =>
    RATES.map((rate) => {
      const figures = cells.get(cellOf(rate).id)?.methods[name];
      const y = (lane - (METHODS.length - 1) / 2) * LANE;
      return figures === undefined ? '' : draw(figures, rate === 100 ? name : `${name} ring`, y);
    }),
  ).join('');
}

function rateMarks(cells: Cells, cellOf: (rate: number) => Cell, axis: Axis, zeroX: number): string {
  return eachMark(cells, cellOf, ({ rate, upper95 }, kind, y) => {
    const x = rate === 0 ? zeroX : along(axis, rate);
    const bar = `<line class="${kind}" stroke-width="1.5" x1="${n(x)}" x2="${n(along(axis, upper95))}" y1="${y}" y2="${y}"/>`;
    return `${bar}<circle class="${kind}" cx="${n(x)}" cy="${y}" r="4"/>`;
  });
}

function medianMarks(cells: Cells, cellOf: (rate: number) => Cell, axis: Axis, neverX: number): string {
  return eachMark(cells, cellOf, ({ medianSec }, kind, y) => {
    const x = medianSec === null ? neverX : along(axis, medianSec);
    return `<circle class="${kind}" cx="${n(x)}" cy="${y}" r="4"/>`;
  });
}

function n(value: number): string {
  return value.toFixed(1);
}
