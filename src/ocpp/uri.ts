import { isIPv6 } from "node:net"

// RFC 3986 §3, and two things of the official schema's checker: something has to follow the scheme, and one slash may
// stand for the two before a host.
const character = "(?:[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2})"
const user = "(?:[a-z0-9._~!$&'()*+,;=:-]|%[0-9a-f]{2})*"
const host = String.raw`(?:\[([^\]]*)\]|(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})*)`
const rest = String.raw`(?:\?(?:${character}|[/?])*)?(?:#(?:${character}|[/?])*)?`
const withAuthority = new RegExp(`^[a-z][a-z0-9+.-]*://?(?:${user}@)?${host}(?::\\d*)?(?:/${character}*)*${rest}$`, "i")
const withoutAuthority = new RegExp(`^[a-z][a-z0-9+.-]*:(?:/|/?${character}+(?:/${character}*)*)${rest}$`, "i")
const futureAddress = /^v[0-9a-f]+\.[a-z0-9._~!$&'()*+,;=:-]+$/i

/** Whether this text is an absolute URI, as the official schema judges it. */
export function isUri(text: string): boolean {
  const match = withAuthority.exec(text)
  if (!match) return withoutAuthority.test(text)
  const address = match[1]
  // The zone of a link, which isIPv6 would take, has no place in a URI.
  return address === undefined || (isIPv6(address) && !address.includes("%")) || futureAddress.test(address)
}
