import { dirname, join, resolve } from 'node:path'
import { type TenantryConfig, TenantryError } from 'tenantry'
import { exists } from './files.js'
import { isObject, loadModule } from './load-module.js'

const FILE_NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs'].map((suffix) => `tenantry.config.${suffix}`)

/** A configuration and where it was found. */
export interface LoadedConfig {
  readonly config: TenantryConfig
  readonly folder: string
}

/** The path of the configuration that holds for `folder`: in it, or in a folder above. */
export async function findConfig(folder: string): Promise<string | undefined> {
  for (const name of FILE_NAMES) {
    const file = join(folder, name)
    if (await exists(file)) return file
  }
  const above = dirname(folder)
  return above === folder ? undefined : findConfig(above)
}

/**
 * Loads the configuration and makes its folder the working directory, so that the relative paths of
 * its migrations begin there wherever the CLI was called.
 *
 * @param file Path of the file; without it, it is looked for from the working directory upwards.
 * @throws `CONFIG_INVALID`
 */
export async function loadConfig(file?: string): Promise<LoadedConfig> {
  const path = file === undefined ? await findConfig(process.cwd()) : resolve(file)
  if (path === undefined) {
    throw configInvalid(
      `There is no ${FILE_NAMES[0]} in ${process.cwd()} or above it. ` +
        'Run "tenantry init" to make one, or name yours with --config.',
    )
  }
  if (!(await exists(path))) throw configInvalid(`The configuration ${path} does not exist.`)
  const folder = dirname(path)
  // `directory()` in the configuration resolves its path at once, so this comes before the import.
  process.chdir(folder)
  const config = await importConfig(path)
  if (isConfig(config)) return { config, folder }
  throw configInvalid(
    `${path} does not export a configuration. Write: export default defineConfig({ … }).`,
  )
}

async function importConfig(path: string): Promise<unknown> {
  try {
    return exported(await loadModule(path))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw configInvalid(`${path} cannot be loaded: ${reason}`, error)
  }
}

/** The default export; what `module.exports` holds has none in a TypeScript file. */
function exported(loaded: unknown): unknown {
  if (!isObject(loaded)) return undefined
  if ('default' in loaded) return loaded['default']
  // Any other module is no configuration: one without schemas would quietly migrate nothing.
  return 'schemas' in loaded ? loaded : undefined
}

// The router checks what is inside; this is about what is no configuration at all.
function isConfig(input: unknown): input is TenantryConfig {
  return isObject(input) && !Array.isArray(input)
}

function configInvalid(sentence: string, cause?: unknown): TenantryError {
  return new TenantryError('CONFIG_INVALID', sentence, { cause })
}
