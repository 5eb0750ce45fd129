/** Where a program of somebody else's is to work. */
export interface ChildPlace {
  readonly schema: string
  /** Slug of the tenant that owns the schema. */
  readonly tenant?: string
  /** The schema's `search_path`, as SQL has it. */
  readonly path: string
}

/** Variables for a program of somebody else's. */
export type ChildEnvironment = Readonly<Record<string, string>>

/**
 * The variables with which a program works inside of one schema, whatever it connects with.
 *
 * Clients take the path from `options` in the URL, or from `PGOPTIONS`. Prisma sets a path of its
 * own from `schema` in the URL, which other clients refuse, so only Prisma gets that.
 *
 * @param url The database; its password is passed on by the environment only.
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function childEnvironment(
  url: string,
  { schema, tenant, path }: ChildPlace,
  { prisma }: { readonly prisma: boolean },
): ChildEnvironment {
  const option = `-c search_path=${escaped(path)}`
  return {
    ...connectionVariables(url),
    DATABASE_URL: scopedUrl(url, option, prisma ? schema : undefined),
    PGOPTIONS: joined(process.env['PGOPTIONS'], option),
    TENANT_SCHEMA: schema,
    // A slug of the caller's own must not reach a schema that no tenant has.
    TENANT_SLUG: tenant ?? '',
  }
}

/** Whether a program is Prisma's, also where a package manager starts it. */
export function isPrisma(words: readonly string[]): boolean {
  return words.some((word) => /(^|[/\\])prisma$/.test(word))
}

/** The server splits options at white space that has no backslash in front of it. */
function escaped(value: string): string {
  return value.replaceAll(/[\s\\]/g, '\\$&')
}

function joined(former: string | null | undefined, option: string): string {
  return former ? `${former} ${option}` : option
}

/** libpq reads a plus sign as it is, so this is not left to `URLSearchParams`. */
function scopedUrl(url: string, option: string, schema: string | undefined): string {
  const [base = '', query = ''] = url.split('?', 2)
  const former = new URLSearchParams(query)
  const all = [
    ...[...former].filter(([name]) => name !== 'options' && name !== 'schema'),
    ['options', joined(former.get('options'), option)] as const,
    ...(schema === undefined ? [] : [['schema', schema] as const]),
  ]
  const parts = all.map((pair) => pair.map(encodeURIComponent).join('='))
  return `${base}?${parts.join('&')}`
}

/** What libpq's own variables say, for programs that are given no URL, such as a plain `psql`. */
function connectionVariables(url: string): ChildEnvironment {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const variables: Record<string, string | null> = {
    PGHOST: searchParams.get('host') ?? decodeURIComponent(hostname).replaceAll(/[[\]]/g, ''),
    PGPORT: searchParams.get('port') ?? port,
    PGUSER: searchParams.get('user') ?? decodeURIComponent(username),
    PGPASSWORD: searchParams.get('password') ?? decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGSSLMODE: searchParams.get('sslmode'),
  }
  const given = Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value]] : []))
  return Object.fromEntries(given) as ChildEnvironment
}
