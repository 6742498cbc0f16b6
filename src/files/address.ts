import { networkInterfaces } from "node:os"

/**
 * A host under which others may reach a listener that is bound to this address: bound to all, the machine's first
 * address that others can see.
 */
export function reachableHost(bound: string): string {
  if (bound !== "0.0.0.0" && bound !== "::") return bound.includes(":") ? `[${bound}]` : bound
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "localhost"
}
