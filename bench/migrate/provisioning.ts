import { builtPackage } from '../built-package.js'
import { median, table, times } from '../measure.js'
import { openPool } from '../server.js'
import { milliseconds, timed } from './clock.js'
import { migrationFolder } from './folder.js'
import { openWarmPool } from './warm-pool.js'

const MIGRATIONS = 40
const TABLES = 50
const MAX_RATIO = 1.15
const SLUG = 'newcomer'
const SCHEMA = `tenant_${SLUG}`

/** Measures a new tenant against the same SQL as one text. @returns the targets that were missed. */
export async function benchProvisioning(url: string, rounds: number): Promise<readonly string[]> {
  const texts = provisioningTexts()
  await using folder = await migrationFolder(texts)
  const { SchemaRouter, select } = await builtPackage()
  const admin = openPool(url, 1)
  const own = await openWarmPool(url, 1)
  const bare = await openWarmPool(url, 1)
  const router = new SchemaRouter({
    pool: own,
    schemas: { tenants: { migrations: folder.path } },
  })
  await router.migrations.up({ select: select.shared() })
  const all = `begin; create schema ${SCHEMA}; set local search_path to ${SCHEMA};
    ${texts.join('\n')} commit`
  const measured = async (work: () => Promise<unknown>): Promise<number> => {
    const taken = await timed(work)
    await admin.query(`drop schema ${SCHEMA} cascade`)
    await admin.query('delete from public.tenantry_tenants where slug = $1', [SLUG])
    return taken
  }
  const asText = (): Promise<unknown> => bare.query(all)
  const asTenant = (): Promise<unknown> => router.tenants.create({ slug: SLUG, name: 'bench' })
  const taken: { readonly raw: number; readonly created: number }[] = []
  // The first round compiles code and reads catalogs; it is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    const raw = await measured(asText)
    const created = await measured(asTenant)
    if (round > 0) taken.push({ raw, created })
  }
  await Promise.all([admin.end(), own.end(), bare.end()])
  const ratio = median(taken.map(({ raw, created }) => created / raw))
  console.log(
    `### A new tenant: ${MIGRATIONS} migrations, ${TABLES} tables with keys and indexes\n`,
  )
  const rows = [
    ['one text', milliseconds(median(taken.map(({ raw }) => raw))), times(1)],
    ['`tenants.create`', milliseconds(median(taken.map(({ created }) => created))), times(ratio)],
  ]
  console.log(`${table(['', 'time', ''], rows)}\n\nMedians of ${rounds} rounds.\n`)
  return ratio > MAX_RATIO ? [`a new tenant: ${times(ratio)} of ${times(MAX_RATIO)}`] : []
}

/** Forty migrations of fifty tables: the first ones make two tables, the others one. */
export function provisioningTexts(): readonly string[] {
  const doubled = TABLES - MIGRATIONS
  return Array.from({ length: MIGRATIONS }, (_, index) => {
    if (index >= doubled) return tableText(doubled + index)
    return tableText(2 * index) + tableText(2 * index + 1)
  })
}

function tableText(number: number): string {
  const parent = number === 0 ? 'int' : `bigint not null references part_${number - 1}`
  return `create table part_${number} (
    id bigint generated always as identity primary key,
    parent_id ${parent},
    name text not null,
    created_at timestamptz not null default now()
  );
  create index part_${number}_parent on part_${number} (parent_id);
  create index part_${number}_name on part_${number} (name, created_at);
  `
}
