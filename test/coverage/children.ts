import { fileURLToPath } from 'node:url'

/** Node writes here what a child process of a test has run; this process itself has begun without it. */
process.env['NODE_V8_COVERAGE'] = fileURLToPath(new URL('../../coverage/children', import.meta.url))
