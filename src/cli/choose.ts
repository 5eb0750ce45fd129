import { type Selector, select } from 'tenantry'
import { type Selection, type SelectionFlags, selectionOf } from './arguments.js'
import { askChoice, askText, askYes, canAsk } from './ask.js'
import { usageError } from './usage-error.js'

/** A selection that selects something. */
export interface Chosen extends Selection {
  readonly select: Selector
}

/**
 * The selection of a command that has no schemas of its own accord: without flags it asks.
 *
 * @param purpose What is about to be done, for example `Where to run it`.
 * @throws `OPTIONS_INVALID` where no flag selects anything and nobody can be asked.
 */
export async function chooseSchemas(flags: SelectionFlags, purpose: string): Promise<Chosen> {
  const selection = selectionOf(flags)
  const { select: selected } = selection
  if (selected !== undefined) return { ...selection, select: selected }
  if (canAsk()) return { ...selection, select: await askForSchemas(purpose) }
  throw usageError(
    'schema',
    'No schema is selected. Say which: -s NAME, -ds for all tenants, -ss for the shared schema and ' +
      'the static ones, or -as for all.',
  )
}

/**
 * The selection of a command that takes every schema where none is selected, and takes something
 * away from them.
 *
 * @throws `OPTIONS_INVALID` where nobody confirms that.
 */
export async function confirmAll(
  flags: SelectionFlags & { readonly yes?: boolean },
  question: string,
): Promise<Chosen> {
  const selection = selectionOf(flags)
  const { select: selected = select.all() } = selection
  const isSure = selection.select !== undefined || flags.yes === true
  if (isSure || (canAsk() && (await askYes(question)))) return { ...selection, select: selected }
  throw usageError(
    'yes',
    'No schema is selected, which means all of them. Select some, or confirm that with --yes.',
  )
}

async function askForSchemas(purpose: string): Promise<Selector> {
  const which = await askChoice(`${purpose}?`, {
    tenants: "in all tenants' schemas",
    static: 'in the shared schema and the static ones',
    all: 'in all schemas',
    names: 'in some, by name',
  })
  switch (which) {
    case 'tenants':
      return selectedBy({ dynamicSchemas: true })
    case 'static':
      return selectedBy({ staticSchemas: true })
    case 'all':
      return select.all()
    case 'names':
      return selectedBy({ schema: (await askText('Names, slugs, domains or globs')).split(/\s+/) })
    default:
      return which satisfies never
  }
}

function selectedBy(flags: SelectionFlags): Selector {
  return selectionOf(flags).select ?? select.all()
}
