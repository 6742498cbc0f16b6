/** The JUnit report of `bun test`, as far as we ask it. */

export type Report = {
  passed: number
  /** `file:line name` of each failed test */
  failed: string[]
  /** the same of each that was skipped or is still to be written */
  skipped: string[]
}

/** Reads a report; one that is not there, because the runner died before writing it, is empty. */
export async function readReport(path: string): Promise<Report> {
  const file = Bun.file(path)
  const report: Report = { passed: 0, failed: [], skipped: [] }
  if (!(await file.exists())) return report
  const testCase = /<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs
  for (const [, attributes = "", body = ""] of (await file.text()).matchAll(testCase)) {
    if (body.includes("<failure") || body.includes("<error")) report.failed.push(nameOf(attributes))
    else if (body.includes("<skipped")) report.skipped.push(nameOf(attributes))
    else report.passed++
  }
  return report
}

function nameOf(attributes: string): string {
  const value = (name: string) => decoded(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "")
  const name = [value("classname"), value("name")].filter(Boolean).join(" > ")
  return `${[value("file"), value("line")].filter(Boolean).join(":")} ${name}`
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#10": " " }

function decoded(text: string): string {
  return text.replace(/&([^;]+);/g, (whole, entity: string) => entities[entity] ?? whole)
}
