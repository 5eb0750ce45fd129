#!/usr/bin/env node
import { runCli } from './run-cli.js'

// A reader such as `head` may close the pipe before all is written; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCli(process.argv.slice(2))
