/** `npm run coverage`: all suites, with what they run of the sources noted by V8, and a report on it. */
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SUITES = [
  'test',
  'test:embedded',
  'test:scope',
  'test:isolation',
  'test:pgbouncer',
  'test:browser',
]

/** @param suite Whose coverage it is; the configurations look at the variable. */
function run(command: string, args: readonly string[], suite?: string): void {
  const env = { ...process.env, TENANTRY_COVERAGE: suite }
  const { status } = spawnSync(command, args, { cwd: ROOT, env, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} has failed.`)
}

await rm(new URL('../../coverage', import.meta.url), { recursive: true, force: true })
// The command line is tested as it is built, so what it runs is told by source maps.
run('npx', ['tsup', '--silent', '--no-dts'], 'build')
for (const suite of SUITES) run('npm', ['run', suite], suite.replace('test:', ''))
run('npx', ['tsx', 'test/coverage/report.ts'])
