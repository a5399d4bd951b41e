import { clockSkew } from './clock-skew.ts'
import { failingHerd } from './failing-herd.ts'
import type { Failure } from './failure.ts'
import { gap } from './gap.ts'
import { lostInvalidation } from './lost-invalidation.ts'
import { race, tagRace } from './race.ts'

export const allFailures: readonly Failure[] = [race, tagRace, clockSkew, gap, lostInvalidation, failingHerd]
