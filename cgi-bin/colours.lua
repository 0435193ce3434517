-- Colours of the web: each function of this table is a method of the service.
local M = {}

--- Mixes two colours.
--
-- @tparam string a a colour as `#1a5fb4`
-- @tparam string b another
-- @tparam[opt=0.5] number share how much of the second
-- @treturn string
function M.mix(a, b, share)
  share = share or 0.5
  local mixed = { "#" }
  for at = 2, 6, 2 do
    local one, two = tonumber(a:sub(at, at + 1), 16), tonumber(b:sub(at, at + 1), 16)
    if not one or not two then
      error({ code = 1, message = "expected colours as #1a5fb4" })
    end
    mixed[#mixed + 1] = ("%02x"):format(math.floor(one + (two - one) * share + 0.5))
  end
  return table.concat(mixed)
end

--- Takes a colour apart.
--
-- @tparam string colour as `#1a5fb4`
-- @treturn {[string]=integer} red, green and blue
function M.parts(colour)
  local red, green, blue = colour:match("^#(%x%x)(%x%x)(%x%x)$")
  if not red then
    error({ code = 1, message = "expected a colour as #1a5fb4" })
  end
  return { red = tonumber(red, 16), green = tonumber(green, 16), blue = tonumber(blue, 16) }
end

return M
