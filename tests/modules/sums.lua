-- The same functions in every language.
local M = {}

--- Adds two numbers.
--
-- The second is five if it is left out.
--
-- @usage sums.add(2, 3) --> 5
-- @tparam integer a the first number
-- @tparam[opt=5] integer b the second number
-- @treturn integer the sum
function M.add(a, b)
  return a + (b or 5)
end

--- Halves a number.
-- @tparam number x
-- @treturn number
function M.half(x)
  return x / 2
end

--- Greets somebody.
-- @tparam string name
-- @treturn string
function M.greet(name)
  return "Hello, " .. name .. "!"
end

--- Tests whether a number is even.
-- @tparam integer n
-- @treturn boolean
function M.is_even(n)
  return n % 2 == 0
end

--- Does nothing.
function M.nothing() end

--- Returns the same time one day later.
function M.next_day(day)
  return os.date("*t", os.time(day) + 86400)
end

--- Returns octets in reverse.
function M.turn(octets)
  return octets:reverse()
end

--- Lists squares.
-- @tparam integer n
-- @treturn {integer,...}
function M.squares(n)
  local all = {}
  for i = 1, n do
    all[i] = i * i
  end
  return all
end

--- Adds many numbers.
-- @tparam {integer,...} numbers
-- @treturn integer
function M.total(numbers)
  local sum = 0
  for _, number in ipairs(numbers) do
    sum = sum + number
  end
  return sum
end

--- Makes a point.
-- @tparam integer x
-- @tparam integer y
function M.point(x, y)
  return { x = x, y = y }
end

--- Swaps the sides of a point.
-- @tparam table point
function M.swap(point)
  return { x = point.y, y = point.x }
end

--- Returns how long each word is.
-- @tparam {string,...} words
-- @treturn {[string]=integer}
function M.lengths(words)
  local all = {}
  for _, word in ipairs(words) do
    all[word] = utf8.len(word)
  end
  return all
end

--- Returns what it gets.
function M.same(value)
  return value
end

--- Fails for a reason that callers know.
function M.fail()
  error({ code = 42, message = "no bikes left" })
end

--- Fails for a reason of its own.
function M.crash()
  error("secret")
end

--- Prints something.
-- @treturn integer
function M.say()
  print("something to log")
  return 1
end

--- Returns a number beyond the doubles.
-- @treturn integer
function M.big()
  return 9007199254740993
end

--- Counts characters.
-- @tparam string text
function M.count(text)
  return utf8.len(text)
end

--- Returns what it was called with.
-- @tparam[opt=1] integer a
-- @tparam[opt=2] integer b
-- @tparam[opt=3] integer c
function M.three(a, b, c)
  return { a or 1, b or 2, c or 3 }
end

--- Greets the caller.
-- @tparam string greeting
function M.who(greeting, request)
  return greeting .. ", " .. request.remote_addr
end

function M._hidden()
  return 1
end

return M
