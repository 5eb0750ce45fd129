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
  Reflect.defineProperty(object, method, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: readonly unknown[]): unknown {
      Reflect.apply(before, this, args)
      return Reflect.apply(original, this, args)
    },
  })
}
