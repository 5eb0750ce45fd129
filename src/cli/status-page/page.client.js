// Draws the table of `tenantry status --html` and `tenantry migrate --html` from the document in #data. Runs in the browser.
const { made, run, sets, schemas } = JSON.parse(document.querySelector('#data').textContent)
const STATES = ['broken', 'pending', 'current']
const STATE_OF_CELL = { a: 'has run', p: 'pending', t: 'changed after it ran' }
const byId = (id) => document.querySelector(`#${id}`)
let only

/** An element with text or children; nothing here is ever parsed as HTML. */
function element(tag, properties = {}, ...children) {
  const it = Object.assign(document.createElement(tag), properties)
  it.append(...children)
  return it
}

function cell(className, text) {
  const it = element('span', { className, textContent: text, title: text })
  it.setAttribute('role', 'cell')
  return it
}

function matrixOf({ cells }, { migrations }) {
  const squares = [...cells].map((state) => element('i', { className: state }))
  const it = element('span', { className: 'matrix' }, ...squares)
  const pending = cells.split('p').length - 1
  it.setAttribute('role', 'cell')
  it.setAttribute('aria-label', `${pending} of ${migrations.length} migrations are pending`)
  return it
}

function rowOf(schema, at) {
  const row = element(
    'div',
    { className: 'row', tabIndex: -1 },
    cell('name', schema.schema),
    cell('version', String(schema.version)),
    cell(`state ${schema.state}`, schema.note),
    matrixOf(schema, sets[schema.set]),
  )
  row.setAttribute('role', 'row')
  row.dataset.at = String(at)
  return row
}

function headOf() {
  const titles = [
    ['name', 'schema'],
    ['version', 'id'],
    ['state', 'state'],
    ['matrix', 'migrations, the oldest first'],
  ]
  const head = element('div', { className: 'row head' })
  head.setAttribute('role', 'row')
  for (const [className, text] of titles) {
    const title = element('span', { className, textContent: text })
    title.setAttribute('role', 'columnheader')
    head.append(title)
  }
  return head
}

/** Rows are made once; sorting and filtering only move them and hide them. */
for (const [index, schema] of schemas.entries()) {
  schema.row = rowOf(schema, index)
  const texts = [schema.schema, schema.tenant, schema.note, schema.problem?.message]
  const missing = sets[schema.set].migrations.filter((_, at) => schema.cells[at] !== 'a')
  schema.haystack = [...texts, ...missing].filter(Boolean).join('\n').toLowerCase()
}

const tables = sets.map(({ title }) => {
  const table = element('div')
  table.setAttribute('role', 'table')
  table.setAttribute('aria-label', title)
  const section = element('section', {}, element('h2', { textContent: title }), table)
  byId('sets').append(section)
  return { section, table }
})

const ORDERS = {
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state),
  version: (a, b) => a.version - b.version,
  schema: () => 0,
}

function show() {
  const wanted = byId('search').value.trim().toLowerCase()
  const order = ORDERS[byId('sort').value]
  const shown = schemas
    .filter(({ state, haystack }) => (!only || state === only) && haystack.includes(wanted))
    .toSorted((a, b) => order(a, b) || a.schema.localeCompare(b.schema, 'en', { numeric: true }))
  for (const [set, { section, table }] of tables.entries()) {
    const rows = shown.filter((schema) => schema.set === set).map(({ row }) => row)
    table.replaceChildren(headOf(), ...rows)
    section.hidden = rows.length === 0
  }
  byId('nothing').hidden = shown.length > 0
  const [first] = shown
  for (const { row } of shown) row.tabIndex = -1
  // One stop for the tabulator; the arrows go on from there.
  if (first) document.querySelector('.row[tabindex]').tabIndex = 0
}

function showTally() {
  const states = [undefined, ...STATES]
  const buttons = states.map((state) => {
    const count = schemas.filter((schema) => !state || schema.state === state).length
    const button = element('button', { type: 'button', textContent: `${count} ${state ?? 'all'}` })
    button.setAttribute('aria-pressed', String(only === state))
    button.addEventListener('click', () => {
      only = state
      for (const each of buttons) each.setAttribute('aria-pressed', String(each === button))
      show()
    })
    return button
  })
  byId('tally').replaceChildren(...buttons)
}

function part(title, lines) {
  if (lines.length === 0) return []
  return [element('h3', { textContent: title }), element('pre', { textContent: lines.join('\n') })]
}

function showDetails(about) {
  const { schema, tenant, note, problem, cells, set, unknown, differences } = about
  const { migrations } = sets[set]
  const named = (state) => migrations.filter((_, at) => cells[at] === state)
  byId('details-title').textContent = schema
  byId('details-body').replaceChildren(
    element('p', { textContent: tenant ? `Tenant ${tenant}: ${note}` : note }),
    ...part('Error', problem ? [`${problem.code}: ${problem.message}`] : []),
    ...part('In the run', about.run ? [about.run] : []),
    ...part('Differs from its migrations', differences),
    ...part('Changed after they ran', named('t')),
    ...part('Not in the migration set', unknown),
    ...part('Pending', named('p')),
    ...part('Have run', named('a')),
  )
  byId('details').showModal()
}

const rowAt = (target) => target.closest('.row[tabindex]')
const schemaOf = (row) => schemas[Number(row.dataset.at)]

byId('sets').addEventListener('click', ({ target }) => {
  const row = rowAt(target)
  if (row) showDetails(schemaOf(row))
})

byId('sets').addEventListener('keydown', (event) => {
  const row = rowAt(event.target)
  if (!row) return
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault()
    showDetails(schemaOf(row))
    return
  }
  const rows = [...document.querySelectorAll('.row[tabindex]')]
  const at = rows.indexOf(row)
  const goal = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
  if (goal === undefined || rows[goal] === undefined) return
  event.preventDefault()
  row.tabIndex = -1
  rows[goal].tabIndex = 0
  rows[goal].focus()
})

/** What a square means is told when the pointer is on it; a title for each would cost memory. */
byId('sets').addEventListener('pointerover', ({ target }) => {
  if (target.tagName !== 'I' || target.title) return
  const { set, cells } = schemaOf(rowAt(target))
  const at = [...target.parentElement.children].indexOf(target)
  target.title = `${sets[set].migrations[at]}: ${STATE_OF_CELL[cells[at]]}`
})

byId('controls').addEventListener('submit', (event) => event.preventDefault())
byId('search').addEventListener('input', show)
byId('sort').addEventListener('change', show)
const when = new Date(made).toLocaleString()
byId('made').textContent = run
  ? `Run of ${run}; as of ${when}`
  : `${schemas.length} schemas, as of ${when}`
showTally()
show()
