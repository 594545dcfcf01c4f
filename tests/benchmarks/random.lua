-- Each request carries one of many keys; with KEYS_ONCE each key has its turn once.
local keys, at = {}, 0
for line in io.lines(os.getenv("KEYS_FILE")) do keys[#keys + 1] = line end
local once = os.getenv("KEYS_ONCE") == "1"
math.randomseed(tonumber(os.getenv("KEYS_SEED") or "1"))
local header = os.getenv("KEYS_HEADER") or "X-API-KEY"
local before = os.getenv("KEYS_BEFORE") or ""

request = function()
  if once then at = at % #keys + 1 else at = math.random(#keys) end
  wrk.headers[header] = before .. keys[at]
  return wrk.format()
end
