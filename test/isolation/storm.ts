import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { SchemaRouter } from 'tenantry'
import type { Act } from './acts.js'
import type { Place } from './fleet.js'
import { type Random, randomOf } from './random.js'
import type { Scene } from './scene.js'
import { type Witness, causedByRemake } from './witness.js'

/** A pool with its router, and what is played on it. */
export interface Stage {
  readonly name: string
  readonly pool: Pool
  readonly router: SchemaRouter
  readonly acts: readonly Act[]
  /** How many scopes are open at the same time. */
  readonly concurrency: number
}

/** What a storm is made of. */
export interface StormPlan {
  readonly stages: readonly Stage[]
  readonly places: readonly Place[]
  readonly admin: Pool
  readonly witness: Witness
  readonly seed: number
  readonly scopes: number
  /** How many are played even when the time is over. */
  readonly fewest: number
  readonly seconds: number
}

/** No act takes a tenth of this; one that does hangs. */
const PATIENCE_MS = 20_000

/**
 * Plays scopes on all stages at once, until all are played, or the fewest and the time is over.
 *
 * What a scope does depends on the seed and its number alone; how scopes meet does not.
 *
 * @returns how many scopes were played
 */
export async function playStorm(plan: StormPlan): Promise<number> {
  const deadline = Date.now() + plan.seconds * 1000
  let next = 0
  const work = async (stage: Stage): Promise<void> => {
    while (next < plan.fewest || (next < plan.scopes && Date.now() < deadline)) {
      const number = next
      next += 1
      await playScope(plan, stage, number)
    }
  }
  const workers = plan.stages.flatMap((stage) =>
    Array.from({ length: stage.concurrency }, () => stage),
  )
  await Promise.all(workers.map(work))
  return next
}

async function playScope(plan: StormPlan, stage: Stage, number: number): Promise<void> {
  const random = randomOf(plan.seed * 1_000_003 + number)
  const act = pickAct(stage.acts, random)
  const tenant = random.pick(plan.places)
  const other = random.pick(plan.places)
  const where = `#${number} ${stage.name} ${act.name}`
  const { admin, witness } = plan
  const { router, pool } = stage
  const scene: Scene = { router, pool, admin, random, tenant, other, witness, number, where }
  witness.began(act.name)
  try {
    await orHangs(act.run(scene))
  } catch (error) {
    if (!causedByRemake(error, [tenant, other])) witness.surprise(where, error)
  }
}

function pickAct(acts: readonly Act[], random: Random): Act {
  let rest = random.below(acts.reduce((sum, { weight }) => sum + weight, 0))
  const found = acts.find(({ weight }) => (rest -= weight) < 0)
  if (found === undefined) throw new Error('There is no act to play.')
  return found
}

async function orHangs(playing: Promise<void>): Promise<void> {
  const timer = new AbortController()
  const hangs = sleep(PATIENCE_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error('hangs')
  })
  hangs.catch(() => {})
  try {
    await Promise.race([playing, hangs])
  } finally {
    timer.abort()
  }
}
