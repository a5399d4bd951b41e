import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:zlib'
import { expect, test } from 'vitest'
import { recordCodec } from '../src/codec/record.ts'
import { goldenCases, goldenKey } from './golden/cases.ts'

const hasZstd = 'ZSTD_c_compressionLevel' in constants

for (const { name, stored, options, isExact } of goldenCases.filter(
  ({ name }) => hasZstd || name !== 'zstd',
)) {
  const codec = recordCodec({ name: 'golden', ...options })
  const file = new URL(`./golden/${name}.hex`, import.meta.url)

  test(`the record "${name}", as it was first written, is read`, async () => {
    if (!existsSync(file)) {
      const hex = Buffer.from(await codec.encode(stored, goldenKey)).toString('hex')
      throw new Error(`there is no ${name}.hex yet; this version writes\n${hex.replace(/.{100}/g, '$&\n')}`)
    }
    const record = Buffer.from(readFileSync(file, 'utf8').replaceAll('\n', ''), 'hex')
    expect({ ...(await codec.decode(record, goldenKey)) }).toStrictEqual(stored)
    if (isExact) expect(await codec.encode(stored, goldenKey)).toEqual(record)
  })

  test(`a record "${name}" of this version is read`, async () => {
    const record = await codec.encode(stored, goldenKey)
    expect({ ...(await codec.decode(record, goldenKey)) }).toStrictEqual(stored)
  })
}
