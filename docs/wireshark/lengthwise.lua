-- Lengthwise in Wireshark and tshark: messages of every kind of framing, sessions and requests.
-- docs/wireshark.md tells how to install and use it. For Wireshark 4.0 and later (Lua 5.2 to 5.4).

local lengthwise = Proto("lengthwise", "Lengthwise")

-- Framings ---------------------------------------------------------------------------------------
--
-- A framing is a function of the bytes that came, as a string, and of the place where a frame begins.
-- It returns where the next frame begins, and the first and the last place of the message; a fourth
-- value is the message itself where it does not stand there as it is. Without a message (something
-- that is passed over) there is only the first value. It returns nil and how many bytes are missing,
-- or nil alone if nobody knows, and false and a reason if the bytes are wrong.

local limit = 16 * 1024 * 1024

local function number(s, from, count, little)
  local value = 0
  for i = 0, count - 1 do
    value = value * 256 + s:byte(little and from + count - 1 - i or from + i)
  end
  return value
end

-- The frame of `total` bytes at p, of which the first `strip` and the last `tail` are no message.
local function frame(s, p, total, strip, tail)
  if total - strip > limit then return false, ("message of %.0f bytes: limit is %d"):format(total - strip, limit) end
  local missing = p + total - 1 - #s
  if missing > 0 then return nil, missing end
  return p + total, p + strip, p + total - 1 - (tail or 0)
end

local function header(s, p, bytes)
  local missing = p + bytes - 1 - #s
  return missing <= 0, missing
end

-- Up to the first of some ends, of which the longest counts where several begin.
local function upTo(s, p, ends, skip)
  local first, last
  for _, e in ipairs(ends) do
    local a, b = s:find(e, p + (skip or 0), true)
    if a and (not first or b < last or b == last and a < first) then first, last = a, b end
  end
  if not first then
    if #s - p > limit then return false, "message without end: limit is " .. limit .. " bytes" end
    return nil
  end
  return last + 1, p + (skip or 0), first - 1
end

local function decimal(s, p, stop)
  local digits, after = s:match("^(%d+)()", p)
  if digits and (#digits > 16 or #digits > 1 and digits:sub(1, 1) == "0") then return false end
  if (digits and after or p) > #s then return nil end
  if not digits or s:sub(after, after) ~= stop then return false end
  return tonumber(digits), after + 1
end

local function groups(s, p, big)
  local value, factor = 0, 1
  for at = p, p + 9 do
    local byte = s:byte(at)
    if not byte then return nil end
    local group = byte % 128
    if big then value = value * 128 + group else value, factor = value + group * factor, factor * 128 end
    if byte < 128 then return value, at + 1 end
  end
  return false
end

-- A message behind a length that was read, or what is wrong with it.
local function behind(s, p, size, start, kind)
  if size == false then return false, "this is no length of " .. kind end
  if size == nil then return nil end
  return frame(s, p, start - p + size, start - p)
end

local K = {}

function K.length(a)
  local bytes, offset = tonumber(a.bytes or 4), tonumber(a.offset or 0)
  local adjustment = tonumber(a.adjustment or (a.includesHeader == "true" and -(offset + bytes) or 0))
  local strip = tonumber(a.strip or offset + bytes)
  return function(s, p)
    local whole, missing = header(s, p, offset + bytes)
    if not whole then return nil, missing end
    local total = offset + bytes + number(s, p + offset, bytes, a.endian == "little") + adjustment
    if total < math.max(offset + bytes, strip) then return false, "a length that is less than its own header" end
    return frame(s, p, total, strip)
  end
end

function K.varint(a)
  return function(s, p)
    local size, start = groups(s, p, a.endian == "big")
    return behind(s, p, size, start, "varint")
  end
end

function K.gobUvarint()
  return function(s, p)
    local first = s:byte(p)
    if first < 128 then return frame(s, p, 1 + first, 1) end
    local count = 256 - first
    if count > 8 then return false, "this is no length of gobUvarint" end
    local whole, missing = header(s, p, 1 + count)
    if not whole then return nil, missing end
    return frame(s, p, 1 + count + number(s, p + 1, count), 1 + count)
  end
end

function K.fixed(a)
  local bytes = tonumber(a[1] or a.bytes)
  return function(s, p) return frame(s, p, bytes, 0) end
end

function K.netstring()
  return function(s, p)
    local size, start = decimal(s, p, ":")
    if not size then return behind(s, p, size, start, "netstring") end
    local after, first, last = frame(s, p, start - p + size + 1, start - p, 1)
    if after and s:sub(after - 1, after - 1) ~= "," then return false, "there is no comma behind the message" end
    return after, first, last
  end
end

function K.line(a)
  local telnet = a.telnet ~= "false"
  return function(s, p)
    local after, first, last = upTo(s, p, { "\n" })
    if not after then return after, first end
    if s:byte(last) == 13 and last >= first then last = last - 1 end
    local text = s:sub(first, last)
    if not telnet or not text:find("\255", 1, true) then return after, first, last end
    text = text:gsub("\255\250.-\255\240", ""):gsub("\255[\251-\254].", ""):gsub("\255([^\255])", "")
    return after, first, last, (text:gsub("\255\255", "\255"))
  end
end

function K.octetCounted(a)
  local line = K.line({ telnet = "false" })
  return function(s, p)
    if s:find("^%d", p) or a.accept == "counted" then
      local size, start = decimal(s, p, " ")
      return behind(s, p, size, start, "octetCounted")
    end
    local after, first, last = line(s, p)
    if after and last < first then return after end
    return after, first, last
  end
end

function K.contentLength(a)
  return function(s, p)
    local _, last = s:find("\r\n\r\n", p, true)
    if not last then
      if #s - p > 8192 then return false, "a header of more than 8 KiB" end
      return nil
    end
    local fields, size = "\n" .. s:sub(p, last):lower(), nil
    size = tonumber(fields:match("\ncontent%-length:[ \t]*(%d+)[ \t]*\r"))
    if not size then return false, "a header without Content-Length" end
    local skip = last - p + 1
    return frame(s, p, skip + size, a.keepHeader == "true" and 0 or skip)
  end
end

function K.recordMarking()
  return function(s, p)
    local parts, at = {}, p
    repeat
      local whole, missing = header(s, at, 4)
      if not whole then return nil, missing end
      local mark = number(s, at, 4)
      local after, first, last = frame(s, at, 4 + mark % 2147483648, 4)
      if not after then return after, first end
      parts[#parts + 1], at = s:sub(first, last), after
    until mark >= 2147483648
    return at, p, at - 1, table.concat(parts)
  end
end

function K.fcgi(a)
  return function(s, p)
    local whole, missing = header(s, p, 8)
    if not whole then return nil, missing end
    if s:byte(p) ~= 1 then return false, "this is no record of FastCGI 1" end
    local padding = s:byte(p + 6)
    local keeps = a.keepPadding == "true" or padding == 0
    local after, first, last = frame(s, p, 8 + number(s, p + 4, 2) + padding, 0, keeps and 0 or padding)
    if not after or keeps then return after, first, last end
    return after, first, last, s:sub(first, p + 5) .. "\0" .. s:sub(p + 7, last)
  end
end

function K.tpkt(a)
  return function(s, p)
    local whole, missing = header(s, p, 4)
    if not whole then return nil, missing end
    local total = number(s, p + 2, 2)
    if s:byte(p) ~= 3 or total < 4 then return false, "this is no TPKT of version 3" end
    return frame(s, p, total, a.keepHeader == "true" and 0 or 4)
  end
end

function K.delimiter(a)
  local ends, keeps = {}, a.keep == "true"
  for _, word in ipairs(a) do
    if word == "keep" then keeps = true
    elseif word ~= "openEnd" then ends[#ends + 1] = word:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end) end
  end
  return function(s, p)
    local after, first, last = upTo(s, p, ends)
    return after, first, after and keeps and after - 1 or last
  end
end

function K.mllp()
  return function(s, p)
    local byte = s:byte(p)
    if byte == 13 or byte == 10 then return p + 1 end
    if byte ~= 11 then return false, "a frame of MLLP begins with 0b" end
    return upTo(s, p, { "\28\13" }, 1)
  end
end

function K.none()
  return function(s) return #s + 1, 1, #s end
end

function K.slip()
  local escapes = { ["\219\220"] = "\192", ["\219\221"] = "\219" }
  return function(s, p)
    local after, first, last = upTo(s, p, { "\192" })
    if not after then return after, first end
    if last < first then return after end
    return after, first, last, (s:sub(first, last):gsub("\219.", escapes))
  end
end

function K.cobs()
  return function(s, p)
    local after, first, last = upTo(s, p, { "\0" })
    if not after then return after, first end
    if last < first then return after end
    local parts, at = {}, first
    while at <= last do
      local size = s:byte(at)
      if at + size - 1 > last then return false, "a block of COBS that says more than it has" end
      parts[#parts + 1] = s:sub(at + 1, at + size - 1)
      at = at + size
      if at <= last and size < 255 then parts[#parts + 1] = "\0" end
    end
    return after, first, last, table.concat(parts)
  end
end

-- Where a JSON value ends; nil if that has not come.
local function jsonEnd(s, p)
  if not s:find('^[%[{"]', p) then
    local after = s:match("^[%w%+%-%.]+()", p)
    if not after then return false end
    return after <= #s and after or nil
  end
  local depth, at = 0, p
  while true do
    at = s:find('[%[%]{}"]', at)
    if not at then return nil end
    local c = s:sub(at, at)
    if c == '"' then
      repeat
        at = s:find('["\\]', at + 1)
        if not at then return nil end
        local escape = s:byte(at) == 92
        if escape then at = at + 1 end
      until not escape
    elseif c == "[" or c == "{" then depth = depth + 1
    else depth = depth - 1 end
    at = at + 1
    if depth == 0 then return at end
  end
end

function K.jsonStream()
  return function(s, p)
    local spaces = s:match("^[ \t\r\n]+()", p)
    if spaces then return spaces end
    local after = jsonEnd(s, p)
    if after == false then return false, "this begins no JSON value" end
    return after, p, after and after - 1
  end
end

function K.jsonSequence()
  return function(s, p)
    if s:byte(p) ~= 30 then return false, "a text of a JSON sequence begins with 1e" end
    local start = s:match("^\30[ \t\r\n]*()", p)
    local value = start <= #s and jsonEnd(s, start)
    if value == false and start <= #s then return false, "this begins no JSON value" end
    local last = value and s:find("\n", value, true)
    if not last then return nil end
    return last + 1, p + 1, last - 1
  end
end

local function berEnd(s, p)
  local at = p
  if s:byte(at) and s:byte(at) % 32 == 31 then
    repeat at = at + 1 until not s:byte(at) or s:byte(at) < 128
  end
  local size = s:byte(at + 1)
  if not size then return nil end
  at = at + 2
  if size < 128 then return at + size end
  if size > 128 then
    local count = size - 128
    if count > 8 then return false end
    if at + count - 1 > #s then return nil end
    return at + count + number(s, at, count)
  end
  while true do
    if at + 1 > #s then return nil end
    if s:sub(at, at + 1) == "\0\0" then return at + 2 end
    local after = berEnd(s, at)
    if not after then return after end
    at = after
  end
end

function K.berTlv()
  return function(s, p)
    local after = berEnd(s, p)
    if after == false then return false, "this is no length of BER" end
    if after == nil then return nil end
    return frame(s, p, after - p, 0)
  end
end

-- Where a value of RESP ends.
local function respEnd(s, p)
  local type = s:sub(p, p)
  if type == "" then return nil end
  local line, at = s:match("^([^\r\n]*)\r\n()", p + 1)
  if not line then return nil end
  if type:find("[%+%-:_,#%(]") then return at end
  if type:find("[%$!=]") and line ~= "?" then
    local size = tonumber(line)
    if not size then return false end
    if size < 0 then return at end
    return at + size + 1 <= #s and at + size + 2 or nil
  end
  if type == "$" then -- In pieces, up to an empty one.
    while true do
      local size, after = s:match("^;(%d+)\r\n()", at)
      if not size then return nil end
      if tonumber(size) == 0 then return after end
      at = after + tonumber(size) + 2
    end
  end
  if not type:find("[%*%%~>|]") then return false end
  local count = tonumber(line)
  if not count and line ~= "?" then return false end
  if type == "%" or type == "|" then count = count and count * 2 end
  if type == "|" then count = count + 1 end -- Attributes belong to the value behind them.
  while not count or count > 0 do
    if not count and s:sub(at, at + 2) == ".\r\n" then return at + 3 end
    local after = respEnd(s, at)
    if not after then return after end
    at, count = after, count and count - 1
  end
  return at
end

function K.resp2(a)
  return function(s, p)
    if a.inline == "true" and not s:find("^[%+%-:_,#%(%$!=%*%%~>|]", p) then
      local after, first = upTo(s, p, { "\n" })
      return after, after and p or first, after and after - 1
    end
    local after = respEnd(s, p)
    if after == false then return false, "this is no value of RESP" end
    return after, p, after and after - 1
  end
end
K.resp3 = K.resp2

local NAMES = {
  u8 = "length(bytes:1)", u16be = "length(bytes:2)", u16le = "length(bytes:2,endian:little)",
  u24be = "length(bytes:3)", u32be = "length()", u32le = "length(endian:little)", u64be = "length(bytes:8)",
  ["9p"] = "length(endian:little,includesHeader:true,strip:0)",
  bgp = "length(bytes:2,offset:16,includesHeader:true,strip:0)",
  bson = "length(endian:little,adjustment:-4,strip:0)",
  chromeNative = "length(endian:little)",
  diameter = "length(bytes:3,offset:1,includesHeader:true,strip:0)",
  dns = "length(bytes:2)", dotnetString = "varint",
  erlang = "length()", ["erlang(1)"] = "length(bytes:1)", ["erlang(2)"] = "length(bytes:2)",
  ["erlang(asn1)"] = "berTlv", ["erlang(fcgi)"] = "fcgi", ["erlang(sunrm)"] = "recordMarking",
  ["erlang(tpkt)"] = "tpkt(keepHeader:true)",
  gob = "gobUvarint", hl7 = "mllp", kafka = "length()", lsp = "contentLength",
  mysql = "length(bytes:3,endian:little,adjustment:1,strip:0)", redis = "resp2", ["redis(version:3)"] = "resp3",
  ros1 = "length(endian:little)", smpp = "length(includesHeader:true,strip:0)", sshAgent = "length()",
  syslog = "octetCounted", thriftFramed = "length()", zookeeper = "length()",
  amqp091 = "duplex(in:length(offset:3,adjustment:1,strip:0),"
    .. "out:staged(fixed(8),length(offset:3,adjustment:1,strip:0)))",
  postgres = "duplex(in:length(offset:1,adjustment:-4,strip:0),"
    .. "out:staged(length(adjustment:-4,strip:0),length(offset:1,adjustment:-4,strip:0)))",
}

-- The parts of a text between commas that stand in no parentheses.
local function arguments(text)
  local found, depth, from = {}, 0, 1
  for at = 1, #text + 1 do
    local c = text:sub(at, at)
    if c == "(" then depth = depth + 1 elseif c == ")" then depth = depth - 1 end
    if (c == "," and depth == 0 or at > #text) and at > from then
      local part = text:sub(from, at - 1)
      local key, value = part:match("^(%a+):(.*)$")
      if key then found[key] = value else found[#found + 1] = part end
    end
    if c == "," and depth == 0 then from = at + 1 end
  end
  return found
end

-- The framing of a text: a function of whose direction it is ("client" or "server") and of how many
-- messages came before, which gives the function described above.
local function framing(text)
  text = text:gsub("%s", "")
  -- Parameters of a program's name say which end or version it is.
  local word, rest = (NAMES[text] or NAMES[text:match("^%w+") or ""] or text):match("^(%w+)%(?(.-)%)?$")
  local a = arguments(rest or "")
  if word == "duplex" then
    local inner, outer = framing(a["in"] or ""), framing(a.out or "")
    return inner and outer and function(side, count) return (side == "client" and outer or inner)(side, count) end
  end
  if word == "staged" then
    local first, after, most = framing(a[1] or ""), framing(a[2] or ""), tonumber(a.messages or 1)
    return first and after and function(side, count)
      if count < most then return first(side, count) end
      return after(side, count - most)
    end
  end
  if not K[word] or word == "fixed" and not a[1] then return nil end
  local find = K[word](a)
  return function() return find end
end

-- What is shown ------------------------------------------------------------------------------------

local f = {
  framing = ProtoField.string("lengthwise.framing", "Framing"),
  size = ProtoField.uint32("lengthwise.size", "Size"),
  message = ProtoField.bytes("lengthwise.message", "Message"),
  text = ProtoField.string("lengthwise.text", "Text"),
  session = ProtoField.string("lengthwise.session", "Session"),
  sessionId = ProtoField.string("lengthwise.session.id", "Session id"),
  offset = ProtoField.uint64("lengthwise.session.offset", "Offset"),
  received = ProtoField.uint64("lengthwise.session.received", "Received"),
  code = ProtoField.uint32("lengthwise.session.code", "Code"),
  inner = ProtoField.bytes("lengthwise.session.message", "Message of the session"),
  request = ProtoField.string("lengthwise.request", "Request"),
  id = ProtoField.uint64("lengthwise.request.id", "Id"),
  method = ProtoField.string("lengthwise.request.method", "Method"),
  error = ProtoField.string("lengthwise.request.error", "Error"),
  value = ProtoField.string("lengthwise.request.value", "Value"),
}
lengthwise.fields = f
local wrong = ProtoExpert.new("lengthwise.wrong", "Bytes that do not fit to the framing", expert.group.MALFORMED, expert.severity.ERROR)
lengthwise.experts = { wrong }

local function isText(s)
  -- Control characters, and bytes that are never in UTF-8.
  return not s:find("[%z\1-\8\14-\31\127\192\193\245-\255]") and not s:find("^[\128-\191]")
end

local function big(s, at)
  return UInt64(number(s, at + 4, 4), number(s, at, 4))
end

-- Requests: docs/requests.md.
local REQUESTS = {
  [0] = "HELLO", "NOTIFY", "CANCEL", "ITEM", "END", "CREDIT", "RESPONSE", "ERROR",
  [16] = "REQUEST", [17] = "REQUEST", [18] = "REQUEST", [19] = "REQUEST",
}

local function addRequest(s, range, tree)
  local first = s:byte(1)
  local type = first and REQUESTS[first % 32]
  if not type then return nil end
  local kind = math.floor(first / 32) % 4
  local at, label, id, name = 2, type, nil, nil
  local function varint()
    local value, after = groups(s, at)
    at = after or #s + 1
    return value or 0
  end
  local function text(bytes)
    if at + bytes - 1 > #s then at = #s + 1 return "" end
    local size = number(s, at, bytes)
    local value = s:sub(at + bytes, at + bytes + size - 1)
    at = at + bytes + size
    return value
  end
  local branch = tree:add(f.request, range, type)
  if type == "HELLO" then
    if s:sub(2, 5) ~= "LWRQ" then return nil end
    return type
  end
  if type ~= "NOTIFY" then id = varint() end
  if type == "NOTIFY" or type == "REQUEST" then name = text(1) end
  if id then
    branch:add(f.id, range, UInt64(id % 4294967296, math.floor(id / 4294967296)))
    label = label .. " " .. ("%.0f"):format(id)
  end
  if name then
    branch:add(f.method, range, name)
    label = label .. " " .. name
  end
  if type == "ERROR" then
    local code = text(1)
    branch:add(f.error, range, code .. ": " .. text(2))
    label = label .. " " .. code
  end
  if type == "REQUEST" and first % 2 == 1 or type == "CREDIT" then varint() varint() end
  local value = s:sub(at)
  if kind == 1 then branch:add(f.value, range, value)
  elseif kind == 2 then branch:add(f.value, range, ("%d bytes"):format(#value)) end
  return label
end

-- Sessions: docs/protocol.md.
local SESSIONS = { "HELLO", "WELCOME", "REFUSED", "DATA", "ACK", "PING", "PONG", "END", "RESET", "DRAIN" }
local LEAST = { 46, 39, 3, 10, 17, 5, 5, 14, 3, 1 }

local function hexOf(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- Takes the bytes of DATA, and gives the messages of the stream that are whole now.
local function streamed(way, offset, bytes)
  local messages = {}
  if way.lost or offset > way.next then way.lost = true return messages end
  way.buffer = way.buffer .. bytes:sub(way.next - offset + 1)
  way.next = math.max(way.next, offset + #bytes)
  while #way.buffer >= 4 do
    local size = number(way.buffer, 1, 4)
    if size > limit then way.lost = true end
    if way.lost or #way.buffer < 4 + size then break end
    messages[#messages + 1] = way.buffer:sub(5, 4 + size)
    way.buffer = way.buffer:sub(5 + size)
  end
  return messages
end

local function addSession(s, range, tree, way, memo, withRequests)
  local number1 = s:byte(1)
  local type = number1 and SESSIONS[number1]
  if not type or #s < LEAST[number1] then return nil end
  local branch, label = tree:add(f.session, range, type), type
  local function id(at) branch:add(f.sessionId, range, hexOf(s:sub(at, at + 15))) end
  if type == "HELLO" then
    if s:sub(2, 5) ~= "LWSP" then return nil end
    id(7)
    branch:add(f.received, range, big(s, 23))
  elseif type == "WELCOME" then
    id(4)
    branch:add(f.received, range, big(s, 20))
  elseif type == "ACK" then
    branch:add(f.received, range, big(s, 2))
    label = label .. " " .. tostring(big(s, 2))
  elseif type == "REFUSED" or type == "RESET" then
    branch:add(f.code, range, number(s, 2, 2))
    label = label .. " " .. number(s, 2, 2)
  elseif type == "END" then
    branch:add(f.offset, range, big(s, 2))
  elseif type == "DATA" then
    branch:add(f.offset, range, big(s, 2))
    label = label .. " " .. tostring(big(s, 2))
    memo.messages = memo.messages or streamed(way, number(s, 2, 8), s:sub(10))
    for _, message in ipairs(memo.messages) do
      local part = #message > 0 and ByteArray.new(message, true):tvb("Message of the session")()
      local item = part and branch:add(f.inner, part) or branch:add(f.session, range, "an empty message")
      local shown = withRequests and part and addRequest(message, part, item)
      if shown then label = label .. ", " .. shown end
      if not shown and isText(message) then item:add(f.text, range, message) end
    end
  end
  return label
end

-- The dissector ------------------------------------------------------------------------------------

local CONTENTS = { messages = 1, requests = 2, sessions = 3, both = 4 }
lengthwise.prefs.framing = Pref.string("Framing", "u32be", "As in an endpoint, such as u32be or length(offset:1)")
lengthwise.prefs.decode = Pref.string("By port", "", "PORT=FRAMING;PORT=FRAMING, where it is another one")
lengthwise.prefs.ports = Pref.range("TCP ports", "", "Ports that are Lengthwise without Decode As", 65535)
lengthwise.prefs.contents = Pref.enum("Contents", CONTENTS.messages, "What the messages are", {
  { 1, "messages", 1 }, { 2, "requests", 2 }, { 3, "sessions", 3 }, { 4, "both", 4 },
})
lengthwise.prefs.limit = Pref.uint("Largest message", limit, "In bytes")

local usual, byPort = framing("u32be"), {}
local ports = ""
-- What is known of each direction of each connection, and of each call of the dissector in it.
local ways, memos = {}, {}
local stream = Field.new("tcp.stream")

function lengthwise.init()
  ways, memos = {}, {}
end

local table_ = DissectorTable.get("tcp.port")
function lengthwise.prefs_changed()
  limit = lengthwise.prefs.limit
  usual, byPort = framing(lengthwise.prefs.framing), {}
  for port, text in lengthwise.prefs.decode:gmatch("(%d+)=([^;]+)") do byPort[tonumber(port)] = { framing(text), text } end
  if ports ~= lengthwise.prefs.ports then
    if ports ~= "" then table_:remove(ports, lengthwise) end
    if lengthwise.prefs.ports ~= "" then table_:add(lengthwise.prefs.ports, lengthwise) end
    ports = lengthwise.prefs.ports
  end
end

-- The framing of a connection, its name, and whose direction this is: the server has the port that is known.
local function framingOf(pinfo)
  local from, to = byPort[pinfo.src_port], byPort[pinfo.dst_port]
  local named = to or from
  local fromServer = to == nil and (from ~= nil or pinfo.src_port == pinfo.match_uint)
  local side = fromServer and "server" or "client"
  if named then return named[1], named[2], side end
  return usual, lengthwise.prefs.framing, side
end

local function show(message, range, tree, way, memo)
  local contents = lengthwise.prefs.contents
  if contents == CONTENTS.sessions or contents == CONTENTS.both then
    return addSession(message, range, tree, way, memo, contents == CONTENTS.both)
  end
  return contents == CONTENTS.requests and addRequest(message, range, tree) or nil
end

local function addMessage(tvb, tree, shown, way, memo)
  local place = tvb(shown.at - 1, shown.after - shown.at)
  local range = place
  if shown.message then
    range = #shown.message > 0 and ByteArray.new(shown.message, true):tvb("Message")() or place
  elseif shown.last >= shown.first then range = tvb(shown.first - 1, shown.last - shown.first + 1) end
  local message = shown.message or tvb:raw(shown.first - 1, shown.last - shown.first + 1)
  local branch = tree:add(lengthwise, place, ("Message, %d bytes"):format(#message))
  branch:add(f.framing, place, shown.name):set_generated()
  branch:add(f.size, place, #message):set_generated()
  if #message > 0 then branch:add(f.message, range) end
  local label = show(message, range, branch, way, memo)
  if label then branch:append_text(": " .. label)
  elseif #message > 0 and isText(message) then branch:add(f.text, range, message) end
  return label or ("%d B"):format(#message)
end

function lengthwise.dissector(tvb, pinfo, tree)
  if tvb:len() ~= tvb:reported_len() then return 0 end
  local make, name, side = framingOf(pinfo)
  pinfo.cols.protocol = "Lengthwise"
  if not make then
    tree:add(lengthwise, tvb()):add_proto_expert_info(wrong, ("the framing %q is unknown"):format(name))
    return tvb:len()
  end
  local key = tostring(stream()) .. side
  local way = ways[key] or { count = 0, next = 0, buffer = "" }
  ways[key] = way
  -- The same bytes are looked at again when somebody clicks on them: then the counts are those of before.
  local call = ("%s %d %d"):format(key, pinfo.number, tvb:len())
  local memo = memos[call] or { count = way.count }
  memos[call] = memo
  local s, at, count, labels = tvb:raw(), 1, memo.count, {}
  while at <= #s do
    local after, first, last, message = make(side, count)(s, at)
    if after == nil then
      pinfo.desegment_offset = at - 1
      pinfo.desegment_len = first or DESEGMENT_ONE_MORE_SEGMENT
      break
    end
    if after == false then
      tree:add(lengthwise, tvb(at - 1)):add_proto_expert_info(wrong, ("%s: %s"):format(name, first))
      labels[#labels + 1] = first
      break
    end
    if first then
      count = count + 1
      memo[count] = memo[count] or {}
      local shown = { at = at, after = after, first = first, last = last, message = message, name = name }
      labels[#labels + 1] = addMessage(tvb, tree, shown, way, memo[count])
    end
    at = after
  end
  if not pinfo.visited then way.count = count end
  if #labels > 0 then pinfo.cols.info = ("%s %s"):format(side == "client" and ">" or "<", table.concat(labels, ", ", 1, math.min(#labels, 8))) end
  return tvb:len()
end

table_:add_for_decode_as(lengthwise)
pcall(function() DissectorTable.get("tls.port"):add_for_decode_as(lengthwise) end)
