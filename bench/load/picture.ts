/** Throughput and latency as a picture: an SVG that needs nothing but itself. */
import type { BenchRecord, Row } from "./record.ts"
import { inOrder } from "./report.ts"

const [WIDTH, ROW, TOP, LEFT, MIDDLE, BAR] = [1080, 22, 64, 300, 690, 290]
const RIGHT = MIDDLE + BAR
const COLOURS: Readonly<Record<string, string>> = { busbar: "#0b7a75", limit: "#9aa5b1" }
const PEER = "#d98e04"
const DECADES = [0.01, 0.1, 1, 10, 100, 1000, 10_000]

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

/** Bars per scenario, the longest of each as wide as the column; and a line from p50 over p99 to p99.9, by decades. */
export function asSvg(record: BenchRecord): string {
  const rows = inOrder(record).filter(({ perSecond }) => perSecond !== undefined)
  const height = TOP + rows.length * ROW + 40
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    "<title>Throughput and latency of Busbar beside its limit</title>",
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(16, 24, "Busbar beside its limit", 'font-size="16" font-weight="600"'),
    text(
      16,
      42,
      `${record.machine["cpu"]}, ${record.machine["cores"]} cores; ${record.commit.slice(0, 12)}; ${record.startedAt}`,
      'fill="#666"',
    ),
    text(LEFT, TOP - 6, "per second", 'fill="#666"'),
    ...decades(height),
    ...rows.flatMap((row, index) => line(row, TOP + index * ROW, longest(rows, row))),
    text(16, height - 12, "bars: median, thin line: least to greatest round; dots: p50, p99 and p99.9", 'fill="#666"'),
    "</svg>",
  ]
  return `${parts.join("\n")}\n`
}

const text = (x: number, y: number, words: string, more = ""): string =>
  `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`

const longest = (rows: readonly Row[], { scenario, unit }: Row): number =>
  Math.max(
    ...rows.filter((row) => row.scenario === scenario && row.unit === unit).map((row) => row.perSecond?.max ?? 0),
  )

function decades(height: number): string[] {
  return DECADES.flatMap((ms) => [
    `<line x1="${xOf(ms)}" x2="${xOf(ms)}" y1="${TOP}" y2="${height - 36}" stroke="#eee"/>`,
    text(xOf(ms), TOP - 6, ms < 1000 ? `${ms} ms` : `${ms / 1000} s`, 'fill="#666" text-anchor="middle"'),
  ])
}

function line(
  { scenario, chargers, subject, perSecond, p50Ms, p99Ms, p999Ms }: Row,
  y: number,
  most: number,
): string[] {
  const colour = COLOURS[subject] ?? PEER
  const wide = (value: number) => ((value / Math.max(1e-9, most)) * (MIDDLE - LEFT - 130)).toFixed(1)
  const centre = y + ROW / 2
  const points = [p50Ms, p99Ms, p999Ms].flatMap((spread) => (spread ? [xOf(spread.median)] : []))
  const { median = 0, min = 0, max = 0 } = perSecond ?? {}
  return [
    text(16, centre + 4, `${scenario} ${chargers}, ${subject}`),
    `<rect x="${LEFT}" y="${y + 4}" width="${wide(median)}" height="${ROW - 8}" fill="${colour}"/>`,
    `<line x1="${LEFT + Number(wide(min))}" x2="${LEFT + Number(wide(max))}" y1="${centre}" y2="${centre}" stroke="#222"/>`,
    text(LEFT + Number(wide(max)) + 6, centre + 4, Math.round(median).toLocaleString("en"), 'fill="#333"'),
    `<line x1="${points[0]}" x2="${points.at(-1)}" y1="${centre}" y2="${centre}" stroke="${colour}" stroke-width="2"/>`,
    ...points.map((x, index) => `<circle cx="${x}" cy="${centre}" r="${4 - index}" fill="${colour}"/>`),
  ]
}

function xOf(ms: number): number {
  const [least, most] = [Math.log10(DECADES[0] ?? 1), Math.log10(DECADES.at(-1) ?? 1)]
  const share = (Math.log10(Math.max(ms, 0.001)) - least) / (most - least)
  return Math.round(MIDDLE + Math.min(1, Math.max(0, share)) * (RIGHT - MIDDLE + 60))
}
