/**
 * The picture in ARCHITECTURE.md, held against the imports. A line `room -> room, room` of its ```arrows block names
 * what a folder or file may import besides itself; the longest room that fits a file is its room.
 * Type-only imports are arrows like any other: knowing a type is knowing its room. They make no cycle, as nothing of
 * them is left when the code is loaded.
 */
import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join, posix } from "node:path"

const root = join(import.meta.dir, "..")
const production = ["src", "graphql", "workers", "bench"]

type Imports = { values: string[]; all: string[] }

const rooms = readArrows(await Bun.file(join(root, "ARCHITECTURE.md")).text())
const files = await readImports()

test("every room in the picture exists, and every arrow ends at a room", () => {
  const missing = [...rooms.keys()].filter((room) => !existsSync(join(root, room)))
  const unknown = [...rooms.values()].flat().filter((target) => roomOf(target) === undefined)
  expect({ missing, unknown }).toEqual({ missing: [], unknown: [] })
})

test("the picture has no cycle", () => {
  expect(cycleIn(new Map([...rooms].map(([room, targets]) => [room, targets.map((t) => roomOf(t) ?? t)])))).toEqual([])
})

test("every file lies in a room of the picture", () => {
  expect([...files.keys()].filter((file) => roomOf(file) === undefined)).toEqual([])
})

test("no import goes against the picture", () => {
  const against = [...files].flatMap(([file, { all }]) => {
    const room = roomOf(file) ?? file
    const allowed = [room, ...(rooms.get(room) ?? [])]
    return all.filter((target) => !allowed.some((a) => contains(a, target))).map((target) => `${file} -> ${target}`)
  })
  expect(against).toEqual([])
})

test("no files import each other in a circle", () => {
  expect(cycleIn(new Map([...files].map(([file, { values }]) => [file, values])))).toEqual([])
})

test("bench is a stranger: it imports no code of the server", () => {
  const bench = [...files].filter(([file]) => contains("bench", file))
  expect(bench.flatMap(([, { all }]) => all.filter((target) => !contains("bench", target)))).toEqual([])
})

describe("the reader of imports", () => {
  const source = `
    import { a } from "./a.ts"
    import type { B } from "./b.ts"
    import { type C } from "./c.ts"
    import {
      d,
      type D,
    } from "../d.ts"
    export * from "./e.ts"
    export type { F } from "./f.ts"
    import "./g.ts"
    type H = import("./h.ts").H
    const i = await import("./i.ts")
    const worker = new Worker(new URL("./j.ts", import.meta.url))
    import { sql } from "kysely"
    a(d, i, worker, sql)`
  const { values, all } = importsOf("src/room/file.ts", source)

  test("sees what is loaded", () => {
    expect(values.sort()).toEqual(
      ["a", "e", "g", "i"]
        .map((name) => `src/room/${name}.ts`)
        .concat("src/d.ts")
        .sort(),
    )
  })
  test("and beside it, types and worker threads", () => {
    const others = all.filter((target) => !values.includes(target))
    expect(others.sort()).toEqual(["b", "c", "f", "h", "j"].map((name) => `src/room/${name}.ts`))
  })
  test("and the way around a circle", () => {
    const circle = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", []],
      ["d", ["b"]],
    ])
    expect(cycleIn(circle)).toEqual(["b", "d", "b"])
  })
})

function readArrows(text: string): Map<string, string[]> {
  const block = /^```arrows\n(.*?)^```/ms.exec(text)?.[1]
  if (!block) throw new Error("ARCHITECTURE.md has no ```arrows block")
  const lines = block.split("\n").filter((line) => line.trim() !== "")
  return new Map(
    lines.map((line) => {
      const [room, targets, ...rest] = line.split("->").map((part) => part.trim())
      if (!room || targets === undefined || rest.length > 0) throw new Error(`not an arrow: ${line}`)
      return [room, targets.split(/,\s*/).filter(Boolean)]
    }),
  )
}

async function readImports(): Promise<Map<string, Imports>> {
  const glob = new Bun.Glob(`{${production.join(",")}}/**/*.{ts,tsx}`)
  const paths = (await Array.fromAsync(glob.scan(root))).filter((path) => !path.endsWith(".d.ts")).sort()
  const read = async (path: string) => [path, importsOf(path, await Bun.file(join(root, path)).text())] as const
  return new Map(await Promise.all(paths.map(read)))
}

/** The files of ours that a source imports, as paths from the root: those it loads, and all that it mentions. */
function importsOf(path: string, source: string): Imports {
  const transpiler = new Bun.Transpiler({ loader: path.endsWith("x") ? "tsx" : "ts" })
  const loaded = transpiler.scanImports(source).map((found) => found.path)
  // The transpiler drops types; a statement that starts a line with import or export and says from does not hide.
  const statements = source.matchAll(/^\s*(?:import|export)\b[^"'`;=]*?\bfrom\s*["']([^"']+)["']/gm)
  const elsewhere = source.matchAll(/\b(?:import\(|new URL\()\s*["'](\.[^"']+)["']/g)
  const mentioned = [...statements, ...elsewhere].map(([, specifier = ""]) => specifier)
  const ours = (specifiers: string[]) => [
    ...new Set(specifiers.filter((s) => s.startsWith(".")).map((s) => posix.join(posix.dirname(path), s))),
  ]
  return { values: ours(loaded), all: ours([...loaded, ...mentioned]) }
}

/** The longest room of the picture in which a path lies. */
function roomOf(path: string): string | undefined {
  const around = [...rooms.keys()].filter((room) => contains(room, path))
  return around.sort((a, b) => b.length - a.length)[0]
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** One way around a circle, its first node again at its end; empty if the graph has none. */
function cycleIn(graph: Map<string, string[]>): string[] {
  const done = new Set<string>()
  const visit = (node: string, path: string[]): string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return []
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node])
      if (cycle.length > 0) return cycle
    }
    done.add(node)
    return []
  }
  for (const node of graph.keys()) {
    const cycle = visit(node, [])
    if (cycle.length > 0) return cycle
  }
  return []
}
