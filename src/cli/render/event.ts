import type { RunEvent } from 'tenantry'
import { errorJson } from './error.js'
import { outcomeJson } from './outcome.js'

/** What happened in a run, as a document for machines. */
export function eventJson(event: RunEvent): object {
  switch (event.type) {
    case 'finished':
      return { ...event, outcome: outcomeJson(event.outcome) }
    case 'retried':
    case 'unchecked':
      return { ...event, error: errorJson(event.error) }
    case 'selected':
    case 'started':
    case 'finding':
      return event
    default:
      return event satisfies never
  }
}
