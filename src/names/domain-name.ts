import { domainToASCII, domainToUnicode } from 'node:url'
import { nameInvalid } from './name-error.js'

declare const hostName: unique symbol

/** A normalised host name: lower case, ASCII (punycode), no port, no trailing dot. */
export type HostName = string & { readonly [hostName]: true }

/** A host, with the path prefix under which it answers; the prefix is empty for a whole host. */
export interface DomainName {
  readonly host: HostName
  /** Begins with `/` and does not end with one; empty when the domain is a whole host. */
  readonly path: string
}

const RULE = 'give a host name such as acme.example.com, optionally with a path such as /beta'
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/
const PORT = /:(\d{1,5})$/
const MAX_PORT = 65_535
/** What a URL's parser would cut off, skip or decode, and so read another host. */
const FOREIGN = /[\s/\\?#@:%]/
/** Segments such as `..` never arrive: clients resolve them before they send a path. */
const PATH = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)*$/

/**
 * Normalises a host as a browser sends it in the `Host` header.
 *
 * @throws `NAME_INVALID` when the text is no host.
 */
export function parseHost(input: unknown): HostName {
  const host = normaliseHost(input)
  if (host === undefined) throw nameInvalid('domain', input, RULE)
  return host
}

/** As {@link parseHost}, but `undefined` for what is no host: requests carry anything. */
export function normaliseHost(input: unknown): HostName | undefined {
  if (typeof input !== 'string') return undefined
  const bare = input.trim().replace(PORT, dropPort)
  if (FOREIGN.test(bare)) return undefined
  // Only here, where every script's full stop has become a dot, is the last one seen for what it is.
  const ascii = domainToASCII(bare).replace(/\.$/, '')
  return isHostName(ascii) && !hasBrokenPunycode(ascii) ? ascii : undefined
}

/** Newer versions of Node let broken punycode pass, and leave it as it is in Unicode too. */
function hasBrokenPunycode(ascii: string): boolean {
  return /(^|\.)xn--/.test(ascii) && /(^|\.)xn--/.test(domainToUnicode(ascii))
}

/** A number that is no port stays, so that the text is no host. */
function dropPort(text: string, port: string): string {
  return Number(port) > MAX_PORT ? text : ''
}

function isHostName(text: string): text is HostName {
  return text !== '' && text.length <= 253 && text.split('.').every((label) => LABEL.test(label))
}

/**
 * Parses a domain as a person writes it: `acme.example.com` or `example.com/acme`.
 *
 * @throws `NAME_INVALID`
 */
export function parseDomain(input: unknown): DomainName {
  if (typeof input !== 'string') throw nameInvalid('domain', input, RULE)
  const slash = input.indexOf('/')
  const host = slash === -1 ? input : input.slice(0, slash)
  const path = slash === -1 ? '' : input.slice(slash).replace(/\/+$/, '')
  if (!PATH.test(path)) throw nameInvalid('domain', input, RULE)
  return { host: parseHost(host), path }
}
