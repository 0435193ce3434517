-- The harness of Lua modules: loads one, tells what is public in it, and calls it. README.md has the conversation.
--
-- Runs by `lua -e`, for Lua 5.3 and later. Lua cannot duplicate descriptors: calls come by the standard input, answers
-- go to descriptor 3.

-- A copy of the language's names: what the module does to them has no effect in here.
local G = _G
local _ENV = {}
for name, value in G.pairs(G) do
  _ENV[name] = value
end
for _, name in ipairs { "debug", "io", "math", "os", "string", "table", "utf8" } do
  local library = {}
  for member, value in pairs(G[name]) do
    library[member] = value
  end
  _ENV[name] = library
end

local DEEPEST = 200
local INTERNAL_ERROR = -32603
local INT_MAX = 2147483647
-- From the call of the function on.
local FRAMES_OF_HARNESS = "\n\t%(command line%):%d+: in function <%(command line%).*$"
local FOREIGN = { "/vendor/", "/lua_modules/", "/.luarocks/" }

local input, output
-- The module, its folder with a slash, the table with its functions, and the object whose methods are meant.
local file, folder, functions, object
-- The lengths of arrays with null in them: their tables have holes.
local lengths = setmetatable({}, { __mode = "k" })

-- Says that a result cannot be written.
local Refused = {}

local function refused(what)
  error(setmetatable({ text = what }, Refused))
end

-- ------------------------------------------------------------------------------------------------------------ texts

local function is_utf8(text)
  -- Lua 5.3 takes halves of surrogate pairs for characters.
  return not string.find(text, "[\128-\255]") or utf8.len(text) and not string.find(text, "\xED[\xA0-\xBF]")
end

-- Returns a text for people, whatever there is in it.
local function readable(text)
  return is_utf8(text) and text or string.gsub(text, "[\128-\255]", function(octet)
    return utf8.char(string.byte(octet))
  end)
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local digit_values = {}
for value = 0, 63 do
  digit_values[string.sub(DIGITS, value + 1, value + 1)] = value
end

local function base64_digit(number, shift)
  local value = number >> shift & 63
  return string.sub(DIGITS, value + 1, value + 1)
end

local function encoded(octets)
  return (string.gsub(octets, "..?.?", function(piece)
    local first, second, third = string.byte(piece, 1, 3)
    local number = first << 16 | (second or 0) << 8 | (third or 0)
    return base64_digit(number, 18) .. base64_digit(number, 12)
      .. (second and base64_digit(number, 6) or "=") .. (third and base64_digit(number, 0) or "=")
  end))
end

local function decoded(text)
  return (string.gsub(text, "(.)(.)(.)(.)", function(...)
    local number, padding = 0, 0
    for _, digit in ipairs { ... } do
      number = number << 6 | (digit_values[digit] or 0)
      padding = padding + (digit == "=" and 1 or 0)
    end
    return string.sub(string.pack(">I3", number), 1, 3 - padding)
  end))
end

-- ---------------------------------------------------------------------------------------------------------- reading

local UNESCAPED = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local WORDS = { t = true, f = false }

-- Returns what an escape sequence means, and where the text goes on.
local function unescaped(text, position)
  local letter = string.sub(text, position, position)
  if letter ~= "u" then
    return UNESCAPED[letter] or letter, position + 1
  end
  local high, low = string.match(text, "^u([dD][89abAB]%x%x)\\u(%x%x%x%x)", position)
  if high then
    local code = 0x10000 + (tonumber(high, 16) - 0xD800 << 10) + tonumber(low, 16) - 0xDC00
    return utf8.char(code), position + 11
  end
  return utf8.char(tonumber(string.sub(text, position + 1, position + 4), 16)), position + 5
end

-- The functions that read take the place where something begins, and return it and the place behind it.
local function read_string(text, position)
  local pieces = {}
  while true do
    local stop = string.find(text, '["\\]', position)
    pieces[#pieces + 1] = string.sub(text, position, stop - 1)
    if string.sub(text, stop, stop) == '"' then
      return table.concat(pieces), stop + 1
    end
    pieces[#pieces + 1], position = unescaped(text, stop + 1)
  end
end

-- Returns a date as os.date("*t") has it, which knows no fractions of a second.
local function date_of(text)
  local names = { "year", "month", "day", "hour", "min", "sec" }
  local parts = { string.match(text, "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)") }
  local date, copy = {}, {}
  for index, name in ipairs(names) do
    date[name] = math.tointeger(tonumber(parts[index]))
    copy[name] = date[name]
  end
  local is_known, local_date = pcall(function() return os.date("*t", os.time(copy)) end)
  date.isdst = is_known and local_date.isdst
  return date
end

local function untagged(tag, value)
  if tag == "$date" then return date_of(value) end
  if tag == "$bytes" then return decoded(value) end
  if tag == "$int" then return math.tointeger(tonumber(value)) end
  return { [string.sub(tag, 2)] = value }
end

local read_value

local function after_spaces(text, position)
  return string.match(text, "^%s*()", position)
end

local function read_items(text, position)
  local items, count, has_holes = {}, 0, false
  position = after_spaces(text, position)
  while string.sub(text, position, position) ~= "]" do
    count = count + 1
    items[count], position = read_value(text, position)
    has_holes = has_holes or items[count] == nil
    position = string.match(text, "^%s*,?%s*()", position)
  end
  if has_holes then
    lengths[items] = count
  end
  return items, position + 1
end

local function read_members(text, position)
  local members, count, name = {}, 0, nil
  position = after_spaces(text, position)
  while string.sub(text, position, position) ~= "}" do
    count = count + 1
    name, position = read_string(text, position + 1)
    members[name], position = read_value(text, string.match(text, "^%s*:()", position))
    position = string.match(text, "^%s*,?%s*()", position)
  end
  if count == 1 and string.sub(name, 1, 1) == "$" then
    return untagged(name, members[name]), position + 1
  end
  return members, position + 1
end

function read_value(text, position)
  position = after_spaces(text, position)
  local first = string.sub(text, position, position)
  if first == '"' then return read_string(text, position + 1) end
  if first == "[" then return read_items(text, position + 1) end
  if first == "{" then return read_members(text, position + 1) end
  local number, behind = string.match(text, "^(-?%d[%d.eE+-]*)()", position)
  if number then return tonumber(number), behind end
  return WORDS[first], string.match(text, "^%a+()", position)
end

-- ---------------------------------------------------------------------------------------------------------- writing

local ESCAPED = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
for code = 0, 31 do
  ESCAPED[string.char(code)] = ESCAPED[string.char(code)] or string.format("\\u%04x", code)
end

local json

local function quoted(text)
  -- To find nothing is much faster than to replace nothing.
  local special = '["\\\0-\31]'
  return '"' .. (string.find(text, special) and string.gsub(text, special, ESCAPED) or text) .. '"'
end

-- Text and octets are the same in Lua: what is valid UTF-8 is text.
local function json_string(text)
  return is_utf8(text) and quoted(text) or '{"$bytes":"' .. encoded(text) .. '"}'
end

local function json_number(number)
  if math.type(number) == "integer" then return string.format("%d", number) end
  if number ~= number then refused("NaN") end
  if number - number ~= 0 then refused(number > 0 and "infinity" or "-infinity") end
  -- As many digits as it takes to read the same number again.
  for digits = 15, 17 do
    local text = string.format("%." .. digits .. "g", number)
    if tonumber(text) == number then
      -- The module may have set a locale. A whole number stays a float.
      text = string.gsub(text, ",", ".")
      return string.find(text, "^-?%d+$") and text .. ".0" or text
    end
  end
end

-- Whether each part of a date is within its bounds: `date.day = date.day + 7` may have led beyond.
local function is_normal(date)
  return date.month >= 1 and date.month <= 12 and date.day >= 1 and date.day <= 31 and date.hour >= 0
    and date.hour <= 23 and date.min >= 0 and date.min <= 59 and date.sec >= 0 and date.sec <= 60
end

local function json_date(value)
  local date = { year = value.year, month = value.month, day = value.day }
  date.hour, date.min, date.sec = value.hour or 12, value.min or 0, value.sec or 0
  local is_written, text = pcall(function()
    if not is_normal(date) then
      date = os.date("*t", os.time(date))
    end
    local form = "%04d-%02d-%02dT%02d:%02d:%02d"
    return string.format(form, date.year, date.month, date.day, date.hour, date.min, date.sec // 1)
  end)
  if not is_written or #text ~= 19 then refused("a date that is none") end
  return '{"$date":"' .. text .. '"}'
end

local function key_text(key)
  if type(key) ~= "string" and type(key) ~= "number" then refused("a key that is a " .. type(key)) end
  local text = tostring(key)
  if not is_utf8(text) then refused("a key that is no UTF-8") end
  return text
end

-- Returns the keys as they are, and whether they are 1 to n.
local function keys_of(value)
  local keys, last = {}, 0
  for key in pairs(value) do
    keys[#keys + 1] = key
    last = math.type(key) == "integer" and key > 0 and math.max(last, key) or math.huge
  end
  return keys, last == #keys
end

local function json_items(items, count, depth)
  local texts = {}
  for index = 1, count do
    texts[index] = json(items[index], depth)
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

-- Sorted, as Lua has another order each time. Of the harness's own documents nothing is escaped that looks like a tag.
local function json_members(members, keys, depth)
  local texts = {}
  for index, key in ipairs(keys) do
    local more = depth > 0 and #keys == 1 and string.find(key_text(key), "^%$") and "$" or ""
    texts[index] = quoted(more .. key_text(key)) .. ":" .. json(members[key], depth)
  end
  table.sort(texts)
  return "{" .. table.concat(texts, ",") .. "}"
end

local function json_table(value, depth)
  if depth > DEEPEST then refused("it contains itself, or is nested deeper than " .. DEEPEST) end
  if type(rawget(value, "isdst")) == "boolean" and rawget(value, "year") then return json_date(value) end
  local keys, is_list = keys_of(value)
  if is_list then return json_items(value, #keys, depth) end
  return json_members(value, keys, depth)
end

function json(value, depth)
  local kind = type(value)
  if kind == "string" then return json_string(value) end
  if kind == "number" then return json_number(value) end
  if kind == "table" then return json_table(value, depth + 1) end
  if kind == "boolean" or kind == "nil" then return value == nil and "null" or tostring(value) end
  refused("a " .. kind)
end

-- ------------------------------------------------------------------------------------------------------------ calls

local function send(line)
  if not (output:write(line, "\n") and output:flush()) then
    os.exit(1)
  end
end

local function member(value, name)
  return value[name]
end

-- Returns what has been raised as a text: an object may have one, a plain table is shown as it is.
local function thrown_text(thrown)
  local metatable = type(thrown) == "table" and getmetatable(thrown)
  if type(thrown) == "table" and not (metatable and metatable.__tostring) then
    local is_written, text = pcall(json, thrown, 1)
    if is_written then return text end
  end
  local is_text, text = pcall(tostring, thrown)
  return is_text and text or "an error whose text cannot be read"
end

-- A message handler, which runs where the error is.
local function traced(thrown)
  if getmetatable(thrown) == Refused then return thrown end
  local account = debug.traceback(thrown_text(thrown), 2)
  return { thrown = thrown, account = readable((string.gsub(account, FRAMES_OF_HARNESS, ""))) }
end

-- An error is for the caller if it is a table with a code and a message.
local function fault_of(thrown)
  if type(thrown) ~= "table" then return end
  local has_code, code = pcall(member, thrown, "code")
  local has_message, message = pcall(member, thrown, "message")
  code = has_code and math.type(code) and math.tointeger(code)
  if code and code >= -INT_MAX - 1 and code <= INT_MAX and has_message and message ~= nil then
    return { code, readable(thrown_text(message)) }
  end
end

local function argument_list(call)
  local args = call.args
  local count = lengths[args] or #args
  if call.context then
    local index = call.context.index + 1
    count = math.max(count, index - 1) + 1
    table.move(args, index, count - 1, index + 1)
    args[index] = call.context.value
  end
  return args, count
end

local function function_named(name)
  local found = (object or functions)[name]
  return type(found) == "function" and found or error("the module has no function " .. name, 0)
end

-- Returns the first result: Lua's others have no place in an answer.
local function called(call)
  local run = function_named(call.call)
  local args, count = argument_list(call)
  if object and debug.getlocal(run, 1) == "self" then
    return (run(object, table.unpack(args, 1, count)))
  end
  return (run(table.unpack(args, 1, count)))
end

-- Returns the member of the answer that tells how a call has ended.
local function outcome(call)
  local is_done, result = xpcall(called, traced, call)
  if is_done then
    is_done, result = xpcall(json, traced, result, 0)
    if is_done then return '"result":' .. result end
  end
  if getmetatable(result) == Refused then
    return '"fault":' .. json({ INTERNAL_ERROR, "the result cannot be written: " .. result.text }, 0)
  end
  -- Where there is no memory or no stack, the handler itself has failed.
  local failed = type(result) == "table" and result or { account = readable(tostring(result)) }
  local fault = fault_of(failed.thrown)
  return fault and '"fault":' .. json(fault, 0) or '"error":' .. quoted(failed.account)
end

-- Answers calls until there are no more.
local function serve()
  for line in input:lines() do
    local call = read_value(line, 1)
    send(string.format('{"id":%d,', call.id) .. outcome(call) .. "}")
  end
end

-- ----------------------------------------------------------------------------------------------------------- module

local function is_below(path)
  for _, foreign in ipairs(FOREIGN) do
    if string.find(path, foreign, #folder, true) then return false end
  end
  return string.sub(path, 1, #folder) == folder
end

-- Returns the file in which a function is defined, if it is one.
local function file_of(run)
  return string.match(debug.getinfo(run, "S").source, "^@(.*)")
end

-- Returns the functions that have become global while the module ran: it may have replaced some of Lua's.
local function new_globals(before)
  local found = {}
  for name, value in pairs(G) do
    if before[name] ~= value then
      found[name] = value
    end
  end
  return found
end

-- Returns the object that is meant: a table, or an object of the class that the table is.
local function named_object(name)
  local found = functions[name] or rawget(G, name)
  if type(found) ~= "table" then error("the module has no object or class " .. name, 0) end
  if rawget(found, "__index") == nil then return found end
  local new = rawget(found, "new")
  if type(new) == "function" then
    return debug.getlocal(new, 1) == "self" and new(found) or new()
  end
  local metatable = getmetatable(found)
  return metatable and metatable.__call and found() or found
end

local function load_module(setup)
  file = setup.file
  folder = string.match(file, "^(.*/)")
  G.package.path = folder .. "?.lua;" .. folder .. "?/init.lua;" .. G.package.path
  G.package.cpath = folder .. "?.so;" .. G.package.cpath
  local before = {}
  for name, value in pairs(G) do
    before[name] = value
  end
  local name = string.match(file, "([^/]*)%.lua$") or file
  local run, problem = loadfile(file)
  -- As `require` does it, so that the module knows that it is none of the program's.
  local returned = (run or error(problem, 0))(name, file)
  G.package.loaded[name] = returned == nil and true or returned
  functions = type(returned) == "table" and returned or new_globals(before)
  object = setup.object and named_object(setup.object)
end

-- Keeps the harness alive whatever the module does, and the descriptors to itself.
local function guard_process()
  input = io.stdin
  output = io.open("/dev/fd/3", "w")
  io.input("/dev/null")
  G.io.stdin = io.input()
  -- So that the log has what a function prints before it is stopped.
  io.stdout:setvbuf("line")
  G.arg = { [0] = "rpcgi" }
  G.os.exit = function(status)
    error(string.format("the function called os.exit(%s)", status == nil and "" or tostring(status)), 2)
  end
  -- What the module starts reads no calls, and does not keep the answers open when this has ended.
  G.os.execute = function(command)
    return os.execute(command and "exec </dev/null 3>&- 4>&-\n" .. command)
  end
  G.io.popen = function(command, mode)
    return io.popen((mode == "w" and "" or "exec </dev/null\n") .. "exec 3>&- 4>&-\n" .. command, mode)
  end
end

-- ------------------------------------------------------------------------------------------------------ description

local function source_of(path)
  local handle = assert(io.open(path))
  local text = handle:read("a")
  handle:close()
  return text
end

-- Returns the module and what it has loaded from its folder.
local function own_files()
  local files, known = { file }, { [file] = true }
  for name in pairs(G.package.loaded) do
    local path = type(name) == "string" and G.package.searchpath(name, G.package.path)
    if path and is_below(path) and not known[path] then
      known[path] = true
      files[#files + 1] = path
    end
  end
  return files
end

-- Returns the public functions by name: those of the module's own text, and for an object those of its classes too.
local function public_functions()
  local found, layer, layers = {}, object or functions, {}
  while type(layer) == "table" and not layers[layer] do
    layers[layer] = true
    for name, value in pairs(layer) do
      local is_named = type(name) == "string" and not string.find(name, "^_") and not found[name]
      local is_meant = is_named and type(value) == "function" and not (object and name == "new")
      local path = is_meant and file_of(value)
      if path == file or path and object and is_below(path) then
        found[name] = value
      end
    end
    local metatable = object and getmetatable(layer)
    layer = metatable and rawget(metatable, "__index")
  end
  return found
end

-- Returns the lines of a function in the module.
local function text_of(info, lines)
  return "\n" .. table.concat(lines, "\n", info.linedefined, info.lastlinedefined) .. "\n"
end

-- Tells a param. One that is compared with nil, or has something else in its place then, may be left out.
local function param_told(name, text)
  local told = { name = name }
  local default = string.match(text, "%f[%w_]" .. name .. "%s*=%s*" .. name .. "%s+or%s+([^\n]*)")
  told.optional = (default or string.find(text, "%f[%w_]" .. name .. "%s*[=~]=%s*nil")) ~= nil
  if default then
    told.default = tonumber(default) or string.match(default, '^"([^"\\]*)"$') or string.match(default, "^'([^'\\]*)'$")
  end
  return told
end

local function told(name, run, lines, context)
  local info = debug.getinfo(run, "Su")
  local is_here = file_of(run) == file
  local text = is_here and text_of(info, lines) or ""
  local found = { name = name, params = {}, line = is_here and info.linedefined or nil }
  local first = object and debug.getlocal(run, 1) == "self" and 2 or 1
  for index = first, info.nparams do
    local param = debug.getlocal(run, index)
    if param == context then
      found.context = { name = param, index = index - first }
    else
      found.params[#found.params + 1] = param_told(param, text)
    end
  end
  if info.isvararg then
    found.params[#found.params + 1] = { name = "args", kind = "rest" }
  end
  return found
end

local function description(setup)
  local lines, found = {}, {}
  for line in string.gmatch(source_of(file), "([^\n]*)\n?") do
    lines[#lines + 1] = line
  end
  for name, run in pairs(public_functions()) do
    found[#found + 1] = told(name, run, lines, setup.context)
  end
  table.sort(found, function(one, other)
    local here, there = one.line or math.huge, other.line or math.huge
    return here < there or here == there and one.name < other.name
  end)
  return { functions = found, files = own_files(), version = string.match(_VERSION, "[%d.]+") }
end

guard_process()
local first = input:read("l")
if first then
  local setup = read_value(first, 1)
  local is_loaded, problem = xpcall(function()
    load_module(setup)
    if setup.describe then send(json({ described = description(setup) }, -math.huge)) end
  end, traced)
  if not is_loaded then
    send(json({ broken = type(problem) == "table" and problem.account or readable(tostring(problem)) }, -math.huge))
    os.exit(1)
  end
  serve()
end
