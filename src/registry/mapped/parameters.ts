/** The values of a statement; each is numbered as it is added. */
export class Parameters {
  readonly #values: unknown[] = []

  constructor(...values: readonly unknown[]) {
    this.#values.push(...values)
  }

  get values(): readonly unknown[] {
    return this.#values
  }

  /** @returns the placeholder that stands for the value in the text. */
  add(value: unknown): string {
    this.#values.push(value)
    return `$${this.#values.length}`
  }
}
