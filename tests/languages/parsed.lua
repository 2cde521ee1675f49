-- Tests that LuaJIT parses nexmo_conversion.ffi.h with the layout that the C compiler uses, and that it can
-- call the library.
--
--     luajit parsed.lua LIBRARY HEADER LAYOUT VERSION
--
-- LAYOUT is the output of tests/abi/layout.c, with lines "STRUCT SIZE", "STRUCT.FIELD OFFSET SIZE" and "CONSTANT
-- VALUE".

local ffi = require("ffi")
local path, header, layout, version = ...

ffi.cdef(assert(io.open(header)):read("*a"))
local library = ffi.load(path)

local function expect(what, found, expected)
    if found ~= expected then
        io.stderr:write(("LuaJIT: %s is %s, not %s\n"):format(what, tostring(found), tostring(expected)))
        os.exit(1)
    end
end

local lines = 0
for line in io.lines(layout) do
    local name, number = line:match("^(%S+) (%-?%d+)")
    local struct, field = name:match("^(.+)%.(.+)$")
    if struct then
        expect(name, ffi.offsetof(struct, field), tonumber(number))
    elseif name:match("^NEXMO_") then
        expect(name, tonumber(library[name]), tonumber(number))
    else
        expect("the size of " .. name, ffi.sizeof(name), tonumber(number))
    end
    lines = lines + 1
end

expect("nexmo_conversion_version()", ffi.string(library.nexmo_conversion_version()), version)
local name = ffi.string(library.nexmo_status_name(library.NEXMO_ERR_UNAUTHORIZED))
expect("nexmo_status_name", name, "NEXMO_ERR_UNAUTHORIZED")
print(("%s: %d sizes, offsets and constants"):format(jit.version, lines))
