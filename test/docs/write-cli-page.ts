import { writeFile } from 'node:fs/promises'
import { cliPage } from './cli-page.js'

// `npm run docs:cli`
await writeFile(new URL('../../docs/cli.md', import.meta.url), await cliPage())
