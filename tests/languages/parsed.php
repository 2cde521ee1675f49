<?php
// Tests that PHP's FFI parses nexmo_conversion.ffi.h with the layout that the C compiler uses, and that it
// can call the library.
//
//     php parsed.php LIBRARY HEADER LAYOUT VERSION
//
// LAYOUT is the output of tests/abi/layout.c, with lines "STRUCT SIZE", "STRUCT.FIELD OFFSET SIZE" and "CONSTANT
// VALUE".

[, $library, $header, $layout, $version] = $argv;

$ffi = FFI::cdef(file_get_contents($header), $library);

function expect(string $what, mixed $found, mixed $expected): void
{
    if ($found !== $expected) {
        fwrite(STDERR, "PHP: $what is " . json_encode($found) . ', not ' . json_encode($expected) . "\n");
        exit(1);
    }
}

$lines = file($layout, FILE_IGNORE_NEW_LINES);
foreach ($lines as $line) {
    $expected = array_map('intval', explode(' ', $line));
    [$name] = explode(' ', $line);
    if (str_contains($name, '.')) {
        [$struct, $field] = explode('.', $name);
        $type = $ffi->type($struct);
        expect($name, $type->getStructFieldOffset($field), $expected[1]);
        expect("the size of $name", $type->getStructFieldType($field)->getSize(), $expected[2]);
    } elseif (str_starts_with($name, 'NEXMO_')) {
        expect($name, $ffi->$name, $expected[1]);
    } else {
        expect("the size of $name", FFI::sizeof($ffi->type($name)), $expected[1]);
    }
}

expect('nexmo_conversion_version()', $ffi->nexmo_conversion_version(), $version);
expect('nexmo_status_name', $ffi->nexmo_status_name($ffi->NEXMO_ERR_UNAUTHORIZED), 'NEXMO_ERR_UNAUTHORIZED');
echo 'PHP ', PHP_VERSION, ': ', count($lines), " sizes, offsets and constants\n";
