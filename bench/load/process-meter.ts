/** What a process and its threads cost: CPU time and memory, read from /proc. */
import { readdirSync, readFileSync } from "node:fs"

/** What is measured beside a run. */
export interface Watched {
  name: string
  pid: number
  /** With all its children: a server of many processes. */
  tree?: boolean
}

export interface Reading {
  /** User and system time so far, s. */
  cpuS: number
  /** Resident memory, bytes. */
  rss: number
}

const PAGE_BYTES = 4096
/** /proc counts in these, whatever the kernel's own clock: it is part of Linux' interface. */
const TICKS_PER_S = 100

/** Undefined where there is no such process, or no /proc. */
export function read({ pid, tree = false }: Omit<Watched, "name">): Reading | undefined {
  const fields = statOf(pid)
  if (!fields) return undefined
  const own = { cpuS: sum(fields, 11, tree ? 15 : 13) / TICKS_PER_S, rss: Number(fields[21]) * PAGE_BYTES }
  if (!tree) return own
  for (const child of childrenOf(pid)) {
    const part = read({ pid: child, tree: true })
    own.cpuS += part?.cpuS ?? 0
    own.rss += part?.rss ?? 0
  }
  return own
}

/** The processes that this one has started and that still run. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(statOf(Number(name))?.[1]) === pid)
      .map(Number)
  } catch {
    return []
  }
}

/** The fields of /proc/<pid>/stat behind the program's name, which may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}

const sum = (fields: readonly string[], from: number, to: number): number =>
  fields.slice(from, to).reduce((total, field) => total + Number(field), 0)
