import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Where Chromium is, or why there is none. */
export type FoundChromium = { readonly path: string } | { readonly missing: string }

/** Chromium from the PATH, else from the distribution's package where it may be installed. */
export async function findChromium(): Promise<FoundChromium> {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  for (const name of names) {
    const path = await findOnPath(name)
    if (path !== undefined) return { path }
  }
  const aptGet = await findOnPath('apt-get')
  if (aptGet === undefined) return { missing: `none of ${names.join(', ')} on the PATH, and no apt-get` }
  if (process.getuid?.() !== 0)
    return { missing: `none of ${names.join(', ')} on the PATH, and only root may install it` }
  return install(aptGet)
}

async function install(aptGet: string): Promise<FoundChromium> {
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    // A new machine has no list of packages yet.
    await promisify(execFile)(aptGet, ['update', '-q'], { env, timeout: 60_000 })
    const install = ['install', '-y', '--no-install-recommends', 'chromium']
    await promisify(execFile)(aptGet, install, { env, timeout: 150_000 })
  } catch (failure) {
    return {
      missing: `apt-get could not install it: ${failure instanceof Error ? failure.message : failure}`,
    }
  }
  const path = await findOnPath('chromium')
  return path === undefined ? { missing: 'the package chromium holds no program of that name' } : { path }
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  return undefined
}
