-- Closes a budget for some milliseconds; a longer pause stays as it is.
-- KEYS[1] the budget; ARGV wait in ms.
local wait = tonumber(ARGV[1])
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + wait
local paused_until = tonumber(redis.call('HGET', KEYS[1], 'paused_until')) or 0
if until_ms > paused_until then
    redis.call('HSET', KEYS[1], 'paused_until', string.format('%d', until_ms))
end
-- A budget that lives longer already, for its window, is not cut short.
if redis.call('PTTL', KEYS[1]) < wait + 1000 then
    redis.call('PEXPIRE', KEYS[1], string.format('%d', wait + 1000))
end
