import { describe, expect, it } from 'vitest'
import { BrokenArchive } from '../../src/lifecycle/backup/archive-frame.js'
import { dataPieces } from '../../src/lifecycle/pg-dump/script-reader.js'
import { statementsOf, withinTransaction } from '../../src/lifecycle/pg-dump/script-statement.js'

async function* inChunks(text: string, size: number): AsyncGenerator<Buffer, void> {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += size) {
    yield await Promise.resolve(bytes.subarray(from, from + size))
  }
}

/** The pieces of a script, each with its rows. */
async function read(text: string, size = 7): Promise<readonly string[]> {
  const pieces: string[] = []
  for await (const piece of dataPieces(inChunks(text, size))) {
    const rows: Buffer[] = []
    if (piece.kind === 'copy') for await (const chunk of piece.rows) rows.push(chunk)
    pieces.push(piece.text.trim() + (piece.kind === 'copy' ? Buffer.concat(rows).toString() : ''))
  }
  return pieces
}

const DATA = `--
-- PostgreSQL database dump
--

\\restrict abc

SET statement_timeout = 0;

-- Data for Name: loans; Type: TABLE DATA; Schema: t; Owner: -

COPY t.loans (id, "a;
b") FROM stdin;
1\tß
\\\\.
2\t\\N
\\.


COPY t.empty (id) FROM stdin;
\\.


COPY t.nothing  FROM stdin;


\\.


INSERT INTO t.notes VALUES (1, 'a;
-- no comment
COPY x FROM stdin;
it''s');
SELECT pg_catalog.setval('t.loans_id_seq', 2, true);


\\unrestrict abc
`

describe('dataPieces', () => {
  it.each([1, 2, 3, 5, 7, 64, 100_000])(
    'takes a script apart that comes in pieces of %i bytes',
    async (size) => {
      expect(await read(DATA, size)).toEqual([
        'SET statement_timeout = 0;',
        'COPY t.loans (id, "a;\nb") FROM stdin;1\tß\n\\\\.\n2\t\\N\n',
        'COPY t.empty (id) FROM stdin;',
        'COPY t.nothing  FROM stdin;\n\n',
        "INSERT INTO t.notes VALUES (1, 'a;\n-- no comment\nCOPY x FROM stdin;\nit''s');",
        "SELECT pg_catalog.setval('t.loans_id_seq', 2, true);",
      ])
    },
  )

  it.each(['COPY t.a (id) FROM stdin;\n1\n2\n', 'COPY t.a (id) FROM stdin;\n', "SELECT 'a"])(
    'refuses %j, which ends in the middle',
    async (text) => {
      await expect(read(text)).rejects.toThrow(BrokenArchive)
    },
  )
})

describe('statementsOf', () => {
  it('leaves out what is meant for psql, and nothing in a body', () => {
    const body = `CREATE FUNCTION t.f() RETURNS text LANGUAGE sql AS $$
select '
\\restrict abc
;'
$$`
    const script = `\\restrict Xy1\n\nSET lock_timeout = 0;\n${body};\n\n\\unrestrict Xy1\n`
    expect(statementsOf(script)).toEqual(['SET lock_timeout = 0', body])
    expect(statementsOf('CREATE SCHEMA t;\n-- done\n')).toEqual(['CREATE SCHEMA t'])
  })
})

describe('withinTransaction', () => {
  const known = new Set(['check_function_bodies', 'lock_timeout', 'default_tablespace'])

  it.each([
    ['SET check_function_bodies = false', 'SET LOCAL check_function_bodies = false'],
    ["SET default_tablespace = ''", "SET LOCAL default_tablespace = ''"],
    ['SET lock_timeout = 0', undefined],
    ['SET transaction_timeout = 0', undefined],
    ['SET of_the_future = on', undefined],
    ["SET client_encoding = 'UTF8'", undefined],
    ["SELECT pg_catalog.set_config('search_path', '', false)", undefined],
    ['CREATE SCHEMA t', 'CREATE SCHEMA t'],
  ])('makes of %j %j', (text, expected) => {
    expect(withinTransaction(text, known)).toBe(expected)
  })

  it('refuses rows in another encoding', () => {
    expect(() => withinTransaction("SET client_encoding = 'LATIN1'", known)).toThrow(
      /LATIN1.*--encoding=UTF8/,
    )
  })
})
