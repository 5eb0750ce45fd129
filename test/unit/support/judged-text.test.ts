import { describe, expect, it } from 'vitest'
import { judged } from '../../../src/support/judged-text.js'

/** A judge that keeps what it was asked. */
function judge(): { readonly asked: string[]; readonly ask: (text: string) => number } {
  const asked: string[] = []
  const ask = judged((text) => {
    asked.push(text)
    return text.length
  })
  return { asked, ask }
}

describe('judged', () => {
  it('judges each text once', () => {
    const { asked, ask } = judge()
    expect(['a', 'bb', 'a', 'bb', ''].map(ask)).toEqual([1, 2, 1, 2, 0])
    expect(asked).toEqual(['a', 'bb', ''])
  })

  it('remembers a verdict that is false', () => {
    let asked = 0
    const ask = judged(() => {
      asked += 1
      return false
    })
    expect([ask('a'), ask('a'), asked]).toEqual([false, false, 1])
  })

  it('keeps no long text', () => {
    const { asked, ask } = judge()
    const long = 'x'.repeat(5_000)
    expect([ask(long), ask(long)]).toEqual([5_000, 5_000])
    expect(asked).toHaveLength(2)
  })

  it('never remembers more than 500 texts', () => {
    const { asked, ask } = judge()
    for (let number = 0; number <= 500; number += 1) ask(String(number))
    ask('0')
    ask('500')
    expect(asked).toHaveLength(502)
  })
})
