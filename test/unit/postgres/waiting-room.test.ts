import { describe, expect, it } from 'vitest'
import { type Holder, WaitingRoom } from '../../../src/postgres/waiting-room.js'

/** A room for a pool of so many clients. */
function roomOf(max: number): WaitingRoom {
  return new WaitingRoom(() => max)
}

/** A holder that has a client. */
function holding(room: WaitingRoom): Holder {
  const holder = room.newHolder()
  room.took(holder)
  return holder
}

/** Begins a wait inside a holder; tells whether it was ended, and ends it. */
function waitIn(room: WaitingRoom, holder: Holder): { ended: () => boolean; over: () => void } {
  let ended = false
  const over = room.hold(holder, () =>
    room.waits(() => {
      ended = true
    }),
  )
  return { ended: () => ended, over }
}

describe('WaitingRoom.newHolder', () => {
  it('knows inside of which holder it was made', () => {
    const room = roomOf(1)
    const outer = room.newHolder()
    const inner = room.hold(outer, () => room.newHolder())
    expect(outer.parent).toBeUndefined()
    expect(inner.parent).toBe(outer)
  })

  it('keeps that through what is awaited', async () => {
    const room = roomOf(1)
    const outer = room.newHolder()
    const inner = await room.hold(outer, async () => {
      await Promise.resolve()
      return room.newHolder()
    })
    expect(inner.parent).toBe(outer)
  })

  it('is nobody’s inside outside()', () => {
    const room = roomOf(1)
    const outer = room.newHolder()
    const inner = room.hold(outer, () => room.outside(() => room.newHolder()))
    expect(inner.parent).toBeUndefined()
  })
})

describe('WaitingRoom.blockedClients', () => {
  it('counts the clients of holders inside of which somebody waits', () => {
    const room = roomOf(9)
    const [one, other] = [holding(room), holding(room)]
    expect(room.blockedClients()).toBe(0)
    const first = waitIn(room, one)
    const second = waitIn(room, one)
    expect(room.blockedClients()).toBe(1)
    const third = waitIn(room, other)
    expect(room.blockedClients()).toBe(2)
    first.over()
    third.over()
    expect(room.blockedClients()).toBe(1)
    second.over()
    expect(room.blockedClients()).toBe(0)
  })

  it('counts the clients of every holder on the way out', () => {
    const room = roomOf(9)
    const outer = holding(room)
    const inner = room.hold(outer, () => holding(room))
    const { over } = waitIn(room, inner)
    expect(room.blockedClients()).toBe(2)
    over()
    expect(room.blockedClients()).toBe(0)
  })

  it('does not count a wait that is inside of nobody', () => {
    const room = roomOf(9)
    holding(room)
    room.waits(() => {})()
    expect(room.blockedClients()).toBe(0)
  })

  it('does not count a holder that has given its client back', () => {
    const room = roomOf(9)
    const holder = holding(room)
    waitIn(room, holder)
    room.gave(holder)
    expect(room.blockedClients()).toBe(0)
  })
})

describe('WaitingRoom.endVainWait', () => {
  it('ends no wait while a client can come back', () => {
    const room = roomOf(2)
    const wait = waitIn(room, holding(room))
    holding(room)
    room.endVainWait()
    expect(wait.ended()).toBe(false)
  })

  it('ends one wait, the youngest, when none can come back', () => {
    const room = roomOf(2)
    const older = waitIn(room, holding(room))
    const younger = waitIn(room, holding(room))
    room.endVainWait()
    expect([older.ended(), younger.ended()]).toEqual([false, true])
  })

  it('spares a wait that keeps no client from coming back', () => {
    const room = roomOf(1)
    const keeping = waitIn(room, holding(room))
    const innocent = waitIn(room, room.newHolder())
    room.endVainWait()
    expect([keeping.ended(), innocent.ended()]).toEqual([true, false])
  })

  it('is asked for when the last client goes to a scope in which somebody waits', () => {
    const room = roomOf(1)
    const holder = room.newHolder()
    const wait = waitIn(room, holder)
    expect(wait.ended()).toBe(false)
    room.took(holder)
    expect(wait.ended()).toBe(true)
  })
})
