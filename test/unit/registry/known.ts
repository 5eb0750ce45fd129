import { type HostName, parseHost } from '../../../src/names/domain-name.js'
import { type Slug, parseSlug } from '../../../src/names/slug.js'
import type { Domain, Tenant } from '../../../src/registry/tenant.js'

export const slug = (text: string): Slug => parseSlug(text)
export const host = (text: string): HostName => parseHost(text)

/** A tenant as the registry answers it. */
export function tenantOf(name: string, status: Tenant['status'] = 'active'): Tenant {
  const at = new Date(0)
  return {
    id: name,
    slug: name,
    name,
    schema: `tenant_${name}`,
    status,
    metadata: {},
    createdAt: at,
  }
}

/** A verified domain of a tenant. */
export function domainOf(tenant: string, name: string): Domain {
  return { tenant, host: name, path: '', primary: true, verified: true }
}

/** Answers when it is told to. */
export interface Held<Q, A> {
  readonly ask: (question: Q) => Promise<A>
  /** The questions that were put so far. */
  readonly asked: readonly Q[]
  answer(at: number, answer: A): void
  fail(at: number, error: Error): void
}

/** A registry that keeps its answers back until the test gives them. */
export function held<Q, A>(): Held<Q, A> {
  const asked: Q[] = []
  const open: PromiseWithResolvers<A>[] = []
  const at = (index: number): PromiseWithResolvers<A> => {
    const question = open[index]
    if (question === undefined) throw new Error(`There is no question ${index}.`)
    return question
  }
  return {
    asked,
    ask: (question) => {
      const made = promiseWithResolvers<A>()
      asked.push(question)
      open.push(made)
      return made.promise
    },
    answer: (index, answer) => at(index).resolve(answer),
    fail: (index, error) => at(index).reject(error),
  }
}

interface PromiseWithResolvers<A> {
  readonly promise: Promise<A>
  readonly resolve: (answer: A) => void
  readonly reject: (error: Error) => void
}

function promiseWithResolvers<A>(): PromiseWithResolvers<A> {
  let resolve: (answer: A) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<A>((...settle) => ([resolve, reject] = settle))
  return { promise, resolve, reject }
}
