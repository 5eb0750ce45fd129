import type { ClientBase } from 'pg'

/** Prepares the template that every test file's database is a copy of. */
export async function prepareTemplate(_client: ClientBase): Promise<void> {
  // Nothing yet: extensions and roles that all test files need belong here.
}
