/** Reads a member of something that is known by its shape only. */
export function property(value: unknown, key: PropertyKey): unknown {
  return isObject(value) ? Reflect.get(value, key) : undefined
}

/** Whether something has members: an object, or a function with some. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Whether something can be called. */
export function isCallable(value: unknown): value is (...args: readonly unknown[]) => unknown {
  return typeof value === 'function'
}

/** Has `before` look at each call of a method of this one object, or of those that inherit it from it. */
export function beforeEachCall(
  object: object,
  method: string,
  before: (this: unknown, ...args: readonly unknown[]) => void,
): void {
  const original = property(object, method)
  if (!isCallable(original)) return
  replaceMember(object, method, function (this: unknown, ...args: readonly unknown[]): unknown {
    Reflect.apply(before, this, args)
    return Reflect.apply(original, this, args)
  })
}

/** Gives one object a member of its own in front of what it inherits. */
export function replaceMember(object: object, key: string, value: unknown): void {
  Reflect.defineProperty(object, key, { configurable: true, writable: true, value })
}
