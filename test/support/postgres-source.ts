import { startEmbeddedPostgres } from '../../src/testing/index.js'
import { dockerAnswers } from './docker.js'

const IMAGE = 'postgres:18-alpine'

/** The PostgreSQL that a test run works on. */
export interface PostgresSource {
  readonly kind: 'TENANTRY_TEST_URL' | 'Testcontainers' | 'embedded'
  /** URL of an administrator. */
  readonly url: string
  /** Whether the server stays after the run, so that the run has to clear up behind itself. */
  readonly stays: boolean
  stop(): Promise<void>
}

/** Brings up a PostgreSQL: the one named by `TENANTRY_TEST_URL`, else a container, else embedded. */
export async function openPostgresSource(): Promise<PostgresSource> {
  const url = process.env['TENANTRY_TEST_URL']
  if (url !== undefined && url !== '') {
    return { kind: 'TENANTRY_TEST_URL', url, stays: true, stop: async () => {} }
  }
  const container = (await dockerAnswers()) ? await tryContainer() : undefined
  return container ?? openEmbedded()
}

async function tryContainer(): Promise<PostgresSource | undefined> {
  try {
    const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
    const settings = [
      'fsync=off',
      'max_connections=200',
      'max_locks_per_transaction=256',
      'jit=off',
    ]
    const container = await new PostgreSqlContainer(IMAGE)
      .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
      .start()
    return {
      kind: 'Testcontainers',
      url: container.getConnectionUri(),
      stays: false,
      stop: async () => void (await container.stop()),
    }
  } catch (error) {
    console.warn(`Docker answers, but ${IMAGE} could not be started: ${String(error)}`)
    return undefined
  }
}

async function openEmbedded(): Promise<PostgresSource> {
  const server = await startEmbeddedPostgres()
  return { kind: 'embedded', url: server.url, stays: false, stop: () => server.stop() }
}
