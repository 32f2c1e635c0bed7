import { CHANGES_AT_ONCE, LOG_LENGTH, REAPED_AT_ONCE } from '../fleet/registry.ts';

/**
 * The operations of a `RedisRegistry` as Lua scripts: each runs atomically (Redis: "Scripting with
 * Lua"). They use only commands of Redis 6.2, and keys under one prefix, which a cluster keeps in one
 * slot.
 *
 * | key | type | holds |
 * | --- | --- | --- |
 * | `nodes` | sorted set | node → end of its lease, in ms by the clock of Redis |
 * | `reaping` | sorted set | node → when its connections are removed, by the clock of presence |
 * | `clock` | hash | `beat`: the last renewal; `lag` of the clock of presence; `epoch`: the last one |
 * | `held:NODE` | hash | connection → session (22 characters) and user |
 * | `revoked:NODE` | set | connections that must end because a newer one came |
 * | `session:ID` | hash | `c` its connection, `r` its rank, `e` its epoch; `w…` an older connection |
 * | `user:USER` | hash | connection → since when, in ms |
 * | `present` | hash | user → since when, in ms, and the instance |
 * | `leaving` | sorted set | user → when the grace period ends, by the clock of presence |
 * | `log` | stream | joins, leaves, moves |
 *
 * The clock of presence is that of Redis without the times in which the nodes could not renew their
 * leases: see `longestGap`, whose value each call is given.
 */
const COMMON = `
local p = KEYS[1] .. ':'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(n) return string.format('%.0f', n) end
local function nodeOf(c) return string.match(c, '^(.*):') end
local function instanceOf(n) return string.match(n, '^[^.]*') end
local function send(to, text) redis.call('PUBLISH', p .. 'to:' .. instanceOf(to), text) end
local alive = {}
local function isAlive(node)
  if alive[node] == nil then
    local lease = redis.call('ZSCORE', p .. 'nodes', node)
    alive[node] = lease and tonumber(lease) > now or false
  end
  return alive[node]
end
local lag
local function presenceTime(longest)
  if lag then return now - lag end
  local clock = redis.call('HMGET', p .. 'clock', 'beat', 'lag')
  local gap = now - tonumber(clock[1] or now)
  lag = tonumber(clock[2] or 0)
  if gap > longest then
    lag = lag + gap
    redis.call('HSET', p .. 'clock', 'beat', whole(now), 'lag', whole(lag))
  end
  return now - lag
end
local isLogged = false
local function log(kind, user, node, from)
  redis.call('XADD', p .. 'log', 'MAXLEN', '~', ${LOG_LENGTH}, '*', 't', kind, 'u', user, 'n', node, 'f', from)
  isLogged = true
end
-- Watchers are told once a call, however much it has logged.
local function answer(reply)
  if isLogged then redis.call('PUBLISH', p .. 'changed', '') end
  return reply
end
local function drop(node, c, longest, grace, isTold)
  local listed = redis.call('HGET', p .. 'held:' .. node, c)
  if not listed then return end
  redis.call('HDEL', p .. 'held:' .. node, c)
  local s = p .. 'session:' .. string.sub(listed, 1, 22)
  local owner = redis.call('HGET', s, 'c')
  if owner == c then
    redis.call('HDEL', s, 'c', 'r', 'e')
  else
    redis.call('HDEL', s, 'w' .. c)
    redis.call('SREM', p .. 'revoked:' .. node, c)
    if owner and isTold and redis.call('HLEN', s) == 3 then send(owner, 'cleared ' .. owner) end
  end
  local user = string.sub(listed, 23)
  if user ~= '' then
    local places = p .. 'user:' .. user
    redis.call('HDEL', places, c)
    if redis.call('EXISTS', places) == 0 then
      redis.call('ZADD', p .. 'leaving', whole(presenceTime(longest) + grace), user)
    end
  end
end
`;

const RENEW = `${COMMON}
local node, longest, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local isNew, lease = ARGV[4] == '1', tonumber(ARGV[5])
local own = redis.call('ZSCORE', p .. 'nodes', node)
if own and tonumber(own) <= now or not own and not isNew then return false end
local at = presenceTime(longest)
redis.call('HSET', p .. 'clock', 'beat', whole(now))
redis.call('ZADD', p .. 'nodes', whole(now + lease), node)
redis.call('ZADD', p .. 'reaping', whole(at + lease), node)
local reaped, isReaping = 0, 0
local dead = redis.call('ZRANGEBYSCORE', p .. 'reaping', '-inf', whole(at), 'LIMIT', 0, 1)[1]
if dead then
  isReaping = 1
  -- Not HSCAN: it finds ever fewer while entries are deleted.
  local found = redis.call('HRANDFIELD', p .. 'held:' .. dead, ${REAPED_AT_ONCE})
  for _, c in ipairs(found) do drop(dead, c, longest, grace, true) end
  reaped = #found
  if reaped < ${REAPED_AT_ONCE} then
    redis.call('ZREM', p .. 'nodes', dead)
    redis.call('ZREM', p .. 'reaping', dead)
    redis.call('DEL', p .. 'revoked:' .. dead)
  end
end
local due = redis.call('ZRANGEBYSCORE', p .. 'leaving', '-inf', whole(at), 'LIMIT', 0, ${REAPED_AT_ONCE})
if #due == ${REAPED_AT_ONCE} then isReaping = 1 end -- more may be due
for _, user in ipairs(due) do
  redis.call('ZREM', p .. 'leaving', user)
  local known = redis.call('HGET', p .. 'present', user)
  redis.call('HDEL', p .. 'present', user)
  log('leave', user, known and string.match(known, ' (.*)') or '', '')
end
local reply = {redis.call('HLEN', p .. 'held:' .. node), redis.call('HLEN', p .. 'present'), reaped, isReaping}
for _, c in ipairs(redis.call('SMEMBERS', p .. 'revoked:' .. node)) do table.insert(reply, c) end
return answer(reply)`;

const CLAIM = `${COMMON}
local node, longest, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if not isAlive(node) then return false end
local last = tonumber(redis.call('HGET', p .. 'clock', 'epoch') or '0')
local micros = time[1] * 1000000 + time[2]
local first, held, since = last, p .. 'held:' .. node, whole(now)
local function arrive(user, c, older)
  local places = p .. 'user:' .. user
  local isFirst = redis.call('EXISTS', places) == 0
  redis.call('HSET', places, c, since)
  local mine, present = instanceOf(node), p .. 'present'
  local known = redis.call('HGET', present, user)
  if not known then
    redis.call('HSET', present, user, since .. ' ' .. mine)
    return log('join', user, mine, '')
  end
  if isFirst then redis.call('ZREM', p .. 'leaving', user) end
  local begun, from = string.match(known, '^(%d+) (.*)')
  if older then from = instanceOf(older) end
  if from == mine or not older and not isFirst then return end
  redis.call('HSET', present, user, begun .. ' ' .. mine)
  log('move', user, mine, from)
end
local reply = {}
for i = 4, #ARGV, 4 do
  local c, id, user, rank = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  local s = p .. 'session:' .. id
  local flat, fields, waits = redis.call('HGETALL', s), {}, {}
  for j = 1, #flat, 2 do
    fields[flat[j]] = flat[j + 1]
    if string.sub(flat[j], 1, 1) == 'w' then table.insert(waits, string.sub(flat[j], 2)) end
  end
  local owner, epoch, grant = fields.c, 0, '0'
  local isOutranked = rank > 0 and owner and tonumber(fields.r) > rank
  if isOutranked or redis.call('HSETNX', held, c, id .. user) == 0 then
    if owner == c then epoch, grant = tonumber(fields.e), fields.e end -- the call is repeated
  else
    last = math.max(last + 1, micros)
    epoch, grant = last, whole(last)
    local reign = {'c', c, 'r', rank > 0 and whole(rank) or grant, 'e', grant}
    if owner then
      table.insert(reign, 'w' .. owner)
      table.insert(reign, '1')
      table.insert(waits, owner)
      if isAlive(nodeOf(owner)) then
        redis.call('SADD', p .. 'revoked:' .. nodeOf(owner), owner)
        send(owner, 'revoked ' .. owner)
      end
    end
    redis.call('HSET', s, unpack(reign))
    if user ~= '' then arrive(user, c, owner) end
  end
  if epoch > 0 then
    for _, older in ipairs(waits) do
      if isAlive(nodeOf(older)) then
        grant = grant .. ' ' .. older
      else
        drop(nodeOf(older), older, longest, grace, false)
        redis.call('HDEL', s, 'w' .. older)
      end
    end
  end
  table.insert(reply, grant)
end
if last > first then redis.call('HSET', p .. 'clock', 'epoch', whole(last)) end
return answer(reply)`;

const RELEASE = `${COMMON}
for i = 4, #ARGV do drop(ARGV[1], ARGV[i], tonumber(ARGV[2]), tonumber(ARGV[3]), true) end
return #ARGV - 3`;

const HELD = `return redis.call('HKEYS', KEYS[1] .. ':held:' .. ARGV[1])`;

const REMOVE = `
if redis.call('EXISTS', KEYS[1] .. ':held:' .. ARGV[1]) == 1 then return 0 end
redis.call('DEL', KEYS[1] .. ':revoked:' .. ARGV[1])
redis.call('ZREM', KEYS[1] .. ':reaping', ARGV[1])
return redis.call('ZREM', KEYS[1] .. ':nodes', ARGV[1])`;

const FIND = `${COMMON}
local flat, reply = redis.call('HGETALL', p .. 'user:' .. ARGV[1]), {}
for i = 1, #flat, 2 do
  if isAlive(nodeOf(flat[i])) then
    table.insert(reply, flat[i])
    table.insert(reply, flat[i + 1])
  end
end
return reply`;

/** One page of everybody present, and the position of the log. */
const USERS = `
local last = redis.call('XREVRANGE', KEYS[1] .. ':log', '+', '-', 'COUNT', 1)[1]
local page = redis.call('HSCAN', KEYS[1] .. ':present', ARGV[1], 'COUNT', ${CHANGES_AT_ONCE})
return {last and last[1] or '0-0', page[1], page[2]}`;

/** The first entry must be the one at the position: otherwise the log does not reach back to it. */
const CHANGES = `
local from = ARGV[1]
local entries = redis.call('XRANGE', KEYS[1] .. ':log', from, '+', 'COUNT', ${CHANGES_AT_ONCE + 1})
if from ~= '0-0' then
  if not entries[1] or entries[1][1] ~= from then return false end
  table.remove(entries, 1)
end
return entries`;

type Operation = 'renew' | 'claim' | 'release' | 'held' | 'remove' | 'find' | 'users' | 'changes';

/** Every script by the name of its operation. */
export const SCRIPTS: Readonly<Record<Operation, string>> = {
  renew: RENEW,
  claim: CLAIM,
  release: RELEASE,
  held: HELD,
  remove: REMOVE,
  find: FIND,
  users: USERS,
  changes: CHANGES,
};
