/**
 * Tenants in the messages of a queue.
 *
 * @module tenantry/jobs
 */

import { TenantryError } from '../errors.js'
import { TENANT_STATUSES, type Tenant } from '../registry/tenant.js'
import { isRecord } from '../support/json.js'
import { requireFunction } from '../support/options.js'

/** What of a `SchemaRouter` jobs need. */
export interface JobRouter {
  readonly tenants: {
    find(slug: string): Promise<Tenant<object> | undefined>
    list(filter: {
      readonly status: readonly Tenant['status'][]
    }): Promise<readonly Tenant<object>[]>
  }
  current(): Tenant<object>
  runAs<R>(tenant: string, fn: () => R | Promise<R>): Promise<R>
}

/** Whose job it is: the id decides, the slug is where to look first and what people read. */
export interface JobTenant {
  readonly id: string
  readonly slug: string
}

/** What is put into the queue: the data of the job, and whose it is. */
export interface TenantPayload<Data> {
  readonly tenantry: JobTenant
  readonly data: Data
}

/**
 * What a queue is given to call. It takes a job, a list of jobs, a payload or a list of payloads,
 * and passes further arguments on.
 *
 * It answers with what the handler has answered for one job, with a promise for each of a list of
 * payloads, and with nothing for a list of several jobs.
 */
export type JobFunction<R> = (
  given: unknown,
  ...rest: readonly unknown[]
) => Promise<R | undefined | Promise<R>[]>

/** What does the work of a job, as the job's tenant. */
export type JobHandler<Data, Rest extends readonly unknown[], R> = (
  data: Data,
  ...rest: Rest
) => R | Promise<R>

/** Carries the tenant in and out of the jobs of a queue; made by {@link jobs}. */
export interface Jobs {
  /**
   * The payload of a job that is to run as the ambient tenant.
   *
   * @param data Whatever the queue can keep as JSON; an object, a list, a text or nothing.
   * @throws `TENANT_NO_SCOPE` outside of a scope
   */
  wrap<Data>(data: Data): TenantPayload<Data>
  /**
   * What the queue is to call: `handler` with the data as they were before `wrap`, run as the tenant
   * that enqueued the job, whatever its slug and its schema are called by now.
   *
   * After the data the handler gets the job, or for payloads without a job (graphile-worker) what
   * the queue gives besides, and then the queue's further arguments.
   *
   * The function rejects with what the handler throws, with `TENANT_NO_SCOPE` for a job that was not
   * wrapped, `TENANT_NOT_FOUND` when the tenant was purged, `TENANT_SUSPENDED` when it is not active,
   * and `TENANT_BUSY` when it is being renamed; the handler was not called then.
   */
  unwrap<Data, Rest extends readonly unknown[], R>(
    handler: JobHandler<Data, Rest, R>,
  ): JobFunction<R>
}

/** How many renamed tenants are remembered; they are looked for again after that. */
const MAX_RENAMED = 1_000

/**
 * Carries the ambient tenant through a job queue: pg-boss, graphile-worker, BullMQ and their like.
 *
 * @param router The router of the process that enqueues or works.
 * @example
 * import { SchemaRouter } from 'tenantry'
 * import { jobs } from 'tenantry/jobs'
 *
 * interface Queue {
 *   send(name: string, data: object): Promise<unknown>
 *   work(name: string, handler: (jobs: object[]) => Promise<unknown>): Promise<unknown>
 * }
 *
 * async function start(router: SchemaRouter, boss: Queue): Promise<void> {
 *   const job = jobs(router)
 *   const bill = job.unwrap(({ loan }: { loan: number }) =>
 *     router.pool.query('insert into invoices (loan) values ($1)', [loan]),
 *   )
 *   await boss.work('bill', bill)
 *   await router.runAs('acme', () => boss.send('bill', job.wrap({ loan: 7 })))
 * }
 */
export function jobs(router: JobRouter): Jobs {
  const renamed = new Map<string, string>()
  return {
    wrap: (data) => {
      const { id, slug } = router.current()
      return { tenantry: { id, slug }, data }
    },
    unwrap: <Data, Rest extends readonly unknown[], R>(handler: JobHandler<Data, Rest, R>) => {
      requireFunction('unwrap', handler)
      return async (given, ...rest) => {
        const run = async ({ payload, args }: Task): Promise<R> => {
          const { tenantry: tenant, data } = payload
          const slug = await slugOf(router, tenant, renamed)
          return router.runAs(slug, () => {
            // Between the look-up and the scope the slug may have become another tenant's.
            if (router.current().id !== tenant.id) throw renamedNow(tenant)
            // What a queue gives back is what was put into it: that is the caller's to know.
            return handler(data as Data, ...([...args, ...rest] as unknown as Rest))
          })
        }
        if (!Array.isArray(given)) return run(taskOf(given))
        // Of a list of payloads each has a fate of its own, which graphile-worker asks for.
        if (given.some(isPayload)) return given.map(async (each) => run(taskOf(each)))
        return runAll(given.map(taskOf), run)
      }
    },
  }
}

/** What one call of the handler is about. */
interface Task {
  readonly payload: TenantPayload<unknown>
  readonly args: readonly unknown[]
}

function taskOf(given: unknown): Task {
  if (isPayload(given)) return { payload: given, args: [] }
  if (isRecord(given) && isPayload(given['data'])) return { payload: given['data'], args: [given] }
  throw new TenantryError(
    'TENANT_NO_SCOPE',
    'This job carries no tenant. Enqueue it in a scope, with the data in wrap(), or work on it ' +
      'without unwrap().',
  )
}

/** One after the other: what follows a failure was not begun, and is not done twice by a retry. */
async function runAll<R>(
  tasks: readonly Task[],
  run: (task: Task) => Promise<R>,
): Promise<R | undefined> {
  let result: R | undefined
  for (const task of tasks) result = await run(task)
  return tasks.length === 1 ? result : undefined
}

function isPayload(value: unknown): value is TenantPayload<unknown> {
  if (!isRecord(value)) return false
  const { tenantry } = value
  if (!isRecord(tenantry)) return false
  return typeof tenantry['id'] === 'string' && typeof tenantry['slug'] === 'string'
}

/** By slug from memory in the usual case; all tenants are looked through only after a rename. */
async function slugOf(
  { tenants }: JobRouter,
  { id, slug }: JobTenant,
  renamed: Map<string, string>,
): Promise<string> {
  const likely = renamed.get(id) ?? slug
  if ((await tenants.find(likely))?.id === id) return likely
  const all = await tenants.list({ status: TENANT_STATUSES })
  const found = all.find((tenant) => tenant.id === id)
  if (found === undefined) throw gone(slug)
  if (renamed.size >= MAX_RENAMED) renamed.clear()
  renamed.set(id, found.slug)
  return found.slug
}

function gone(slug: string): TenantryError {
  return new TenantryError(
    'TENANT_NOT_FOUND',
    `The tenant that enqueued this job, then "${slug}", is gone. Remove the job from the queue.`,
    { tenant: slug },
  )
}

function renamedNow({ slug }: JobTenant): TenantryError {
  return new TenantryError(
    'TENANT_BUSY',
    `The tenant that enqueued this job, then "${slug}", is being renamed. Try the job again.`,
    { tenant: slug },
  )
}
