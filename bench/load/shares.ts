/** How a fleet is dealt out to several processes, where one may not have as many sockets as there are chargers. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"

/** Of the files that a process may open, so much is for chargers; the rest is for what it keeps beside them. */
const FOR_CHARGERS = 0.9
/** Where the system does not say: what most give for connections to one address and port. */
const USUAL_PORTS = 16_384

/** How many chargers one process may hold, at either end: a file each, and at the generator's a port each. */
export function mostChargers(): number {
  return Math.floor(FOR_CHARGERS * Math.min(openFiles(), clientPorts()))
}

/** How many files a process may have open at most, which Bun allows itself. */
function openFiles(): number {
  return Number(spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout) || Number.POSITIVE_INFINITY
}

function clientPorts(): number {
  try {
    const [least = 0, most = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
      .split(/\s+/)
      .map(Number)
    return most - least + 1
  } catch {
    return USUAL_PORTS
  }
}

/** Deals out in order, so that no share is larger than `most` and no two differ by more than one; at least two if there are two to deal. */
export function shares<Each>(all: readonly Each[], most: number): Each[][] {
  const count = Math.min(all.length, Math.max(2, Math.ceil(all.length / most)))
  const start = (share: number) => Math.floor((share * all.length) / count)
  return Array.from({ length: count }, (_, share) => all.slice(start(share), start(share + 1)))
}
