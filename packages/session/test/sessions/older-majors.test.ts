import express from 'express'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

test('Express and ioredis are of the majors that this run is said to be of', () => {
  const isOlder = process.env.OLDER_MAJORS === 'yes'
  const client = new Redis({ lazyConnect: true })
  expect('lazyrouter' in express()).toBe(isOlder)
  expect('replyMapping' in client.options).toBe(!isOlder)
})
