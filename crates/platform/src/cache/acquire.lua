-- Takes n from a budget, or tells how many milliseconds to wait. bucket.rs says the same.
-- KEYS[1] the budget; ARGV limit, window in ms, n.
local limit, window, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'left', 'seen_at', 'paused_until')
local left = tonumber(state[1]) or limit
local seen_at = tonumber(state[2]) or now
local paused_until = tonumber(state[3]) or 0

left = math.min(limit, left + math.max(0, now - seen_at) * limit / window)
seen_at = math.max(seen_at, now)

local wanted = math.min(n, limit)
local short = math.max(0, wanted - left - 1e-6)
local pause = math.max(0, paused_until - now)
local wait = math.max(pause, math.ceil(short * window / limit))
if wait == 0 then
    left = left - wanted
end

redis.call('HSET', KEYS[1], 'left', string.format('%.17g', left), 'seen_at', string.format('%d', seen_at))
redis.call('PEXPIRE', KEYS[1], string.format('%d', pause + window + 1000))
return wait
