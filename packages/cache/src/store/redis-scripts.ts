import { RedisScript } from '@stepladder/core'

// All of them take any number of keys, and touch none that is not named in KEYS.

/**
 * KEYS: n records, their n leases, tags. ARGV: n, a mark for each claim (1: a lease even beside a record, 2: whoever has it), ms of a
 * lease, the least and the most ms that an epoch lasts, how new epochs begin, n tokens.
 * Answers n records, their n marks (1: granted) as one text, the epochs.
 *
 * An epoch lasts up to twice what is needed, so that it is prolonged now and then and not at every load.
 */
export const claimScript: RedisScript = new RedisScript(`
local n = tonumber(ARGV[1])
local epochs = {}
for i = 2 * n + 1, #KEYS do
  local epoch = redis.call('GET', KEYS[i])
  if not epoch then
    epoch = ARGV[6] .. '.' .. (i - 2 * n)
    redis.call('SET', KEYS[i], epoch, 'PX', ARGV[5])
  elseif redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
  end
  epochs[i - 2 * n] = epoch
end
if n == 0 then return epochs end
local answer = redis.call('MGET', unpack(KEYS, 1, n))
local marks = {}
for i = 1, n do
  local mark = string.byte(ARGV[2], i)
  local isGranted
  if mark == 50 then
    isGranted = redis.call('SET', KEYS[n + i], ARGV[6 + i], 'PX', ARGV[3])
  elseif mark == 49 or not answer[i] then
    isGranted = redis.call('SET', KEYS[n + i], ARGV[6 + i], 'NX', 'PX', ARGV[3])
  end
  marks[i] = isGranted and '1' or '0'
end
answer[n + 1] = table.concat(marks)
for i = 1, #epochs do answer[n + 1 + i] = epochs[i] end
return answer`)

/** KEYS: n records, their n leases. ARGV: n times token, record, ms. Answers 1 where the lease was there still. */
export const fillScript: RedisScript = new RedisScript(`
local n = #KEYS / 2
local held = redis.call('MGET', unpack(KEYS, n + 1))
local ended, answer = {}, {}
for i = 1, n do
  answer[i] = 0
  if held[i] == ARGV[3 * i - 2] then
    redis.call('SET', KEYS[i], ARGV[3 * i - 1], 'PX', ARGV[3 * i])
    ended[#ended + 1] = KEYS[n + i]
    answer[i] = 1
  end
end
if #ended > 0 then redis.call('DEL', unpack(ended)) end
return answer`)

/** KEYS: record, lease. ARGV: token, record, ms, channel, message. Answers 1 if the lease was there still. */
export const setScript: RedisScript = new RedisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`)

/** KEYS: what goes. ARGV: channel, message. Who hears it finds nothing of it any more. */
export const invalidateScript: RedisScript = new RedisScript(`
redis.call('UNLINK', unpack(KEYS))
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1`)

/** KEYS: n leases. ARGV: ms, n tokens. */
export const renewScript: RedisScript = new RedisScript(`
local held = redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS do
  if held[i] == ARGV[1 + i] then redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
end
return 1`)

/** KEYS: n leases. ARGV: n tokens. */
export const releaseScript: RedisScript = new RedisScript(`
local held = redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS do
  if held[i] == ARGV[i] then redis.call('DEL', KEYS[i]) end
end
return 1`)

/** KEYS: records. ARGV: how much of each. Answers where each begins; empty for none. */
export const headScript: RedisScript = new RedisScript(`
local heads = {}
for i = 1, #KEYS do heads[i] = redis.call('GETRANGE', KEYS[i], 0, ARGV[1] - 1) end
return heads`)

/** KEYS: the tag of everything. ARGV: how its epoch begins on this server, channel, message. */
export const settleScript: RedisScript = new RedisScript(`
local epoch = redis.call('GET', KEYS[1])
if epoch and string.sub(epoch, 1, #ARGV[1]) ~= ARGV[1] then
  redis.call('UNLINK', KEYS[1])
  redis.call('PUBLISH', ARGV[2], ARGV[3])
  return 1
end
return 0`)
