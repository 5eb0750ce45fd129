import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { preludeOf } from '../../../src/postgres/statement/prelude.js'
import {
  type Scope,
  currentScope,
  runInScope,
  tryCurrentScope,
} from '../../../src/scope/context.js'

function scopeOf(name: string): Scope {
  const schema = parseSchemaName(name)
  return { schema, prelude: preludeOf(schema, `"${schema}"`) }
}

const [ACME, BETA] = [scopeOf('acme'), scopeOf('beta')]

describe('currentScope', () => {
  it('fails outside of a scope', () => {
    expect(tryCurrentScope()).toBeUndefined()
    expect(() => currentScope()).toThrow(expect.objectContaining({ code: 'TENANT_NO_SCOPE' }))
  })

  it('is the scope of the running code, and no longer', () => {
    expect(runInScope(ACME, currentScope)).toBe(ACME)
    expect(tryCurrentScope()).toBeUndefined()
  })

  it('is the innermost of nested scopes, and the outer one again', () => {
    const seen = runInScope(ACME, () => [
      currentScope(),
      runInScope(BETA, currentScope),
      currentScope(),
    ])
    expect(seen).toEqual([ACME, BETA, ACME])
  })

  it('ends with what throws', () => {
    expect(() =>
      runInScope(ACME, () => {
        throw new RangeError('the function has failed')
      }),
    ).toThrow(RangeError)
    expect(tryCurrentScope()).toBeUndefined()
  })

  it('is kept through what is awaited, timers and callbacks', async () => {
    const seen = await runInScope(ACME, async () => {
      const scopes = [currentScope()]
      await setImmediate()
      scopes.push(currentScope())
      await setTimeout(1)
      scopes.push(currentScope())
      await new Promise<void>((resolve) => {
        process.nextTick(() => {
          scopes.push(currentScope())
          resolve()
        })
      })
      return scopes
    })
    expect(seen).toEqual([ACME, ACME, ACME, ACME])
  })

  it('is each code’s own when many run at once', async () => {
    const scopes = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? ACME : BETA))
    const seen = await Promise.all(
      scopes.map((scope) =>
        runInScope(scope, async () => {
          await setImmediate()
          return currentScope()
        }),
      ),
    )
    expect(seen).toEqual(scopes)
  })

  it('is shared by all copies of the package in a process', async () => {
    vi.resetModules()
    const copy = await import('../../../src/scope/context.js')
    expect(copy.currentScope).not.toBe(currentScope)
    expect(runInScope(ACME, copy.currentScope)).toBe(ACME)
    expect(copy.runInScope(BETA, currentScope)).toBe(BETA)
  })
})
