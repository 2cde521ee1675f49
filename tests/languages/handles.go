// Tests that a handle can be held as an unsafe.Pointer, as Go programs hold a void *. Go aborts a program if it finds a
// pointer below 4096 when it grows a stack, or a pointer into free memory of the Go heap.
package main

/*
#include <stdlib.h>
#include "nexmo_conversion.h"

// Go cannot use the macros that initialize these structs, and must not store Go pointers in C memory.
static nexmo_status new_client(const char *key, nexmo_client **client)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    credentials.api_key = credentials.api_secret = key;
    return nexmo_client_new(&credentials, NULL, client, NULL);
}

static nexmo_status new_reporter(const char *key, nexmo_reporter **reporter)
{
    nexmo_credentials credentials = NEXMO_CREDENTIALS_INIT;
    nexmo_reporter_options options = NEXMO_REPORTER_OPTIONS_INIT;
    credentials.api_key = credentials.api_secret = key;
    options.durability = NEXMO_DURABILITY_NONE;
    return nexmo_reporter_new(&credentials, NULL, &options, reporter, NULL);
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

// A global variable, so that the garbage collector finds the handles not only on the stack.
var kept []unsafe.Pointer

func expect(what string, found, expected C.nexmo_status) {
	if found != expected {
		fmt.Fprintf(os.Stderr, "Go: %s returned %d, not %d\n", what, found, expected)
		os.Exit(1)
	}
}

//go:noinline
func same(handle unsafe.Pointer) unsafe.Pointer {
	return handle
}

// Holds the handle in each of many frames. The runtime copies these frames several times, because the stack grows. The
// handle is in a local variable, because the runtime does not check parameters. It is used after the recursive call,
// because the runtime does not check dead variables.
//
//go:noinline
func deeper(handle unsafe.Pointer, depth int) unsafe.Pointer {
	var frame [1024]byte
	frame[depth%len(frame)] = 1
	local := same(handle)
	if depth%64 == 0 {
		runtime.GC()
	}
	if depth > 0 && deeper(local, depth-1) != local {
		return nil
	}
	runtime.KeepAlive(&frame)
	return local
}

// Calls deeper in a new goroutine, which starts with a small stack.
func survive(handle unsafe.Pointer) unsafe.Pointer {
	survived := make(chan unsafe.Pointer)
	go func() { survived <- deeper(handle, 512) }()
	return <-survived
}

func main() {
	key := C.CString("key")
	defer C.free(unsafe.Pointer(key))
	for i := 0; i < 4; i++ {
		var client *C.nexmo_client
		expect("nexmo_client_new", C.new_client(key, &client), C.NEXMO_OK)
		var reporter *C.nexmo_reporter
		expect("nexmo_reporter_new", C.new_reporter(key, &reporter), C.NEXMO_OK)
		kept = append(kept, unsafe.Pointer(client), unsafe.Pointer(reporter))
	}
	for i, handle := range kept {
		handle = survive(handle)
		if i%2 == 0 {
			expect("nexmo_client_free", C.nexmo_client_free((*C.nexmo_client)(handle)), C.NEXMO_OK)
		} else {
			expect("nexmo_reporter_free", C.nexmo_reporter_free((*C.nexmo_reporter)(handle)), C.NEXMO_OK)
		}
	}
	runtime.GC()
	stale := (*C.nexmo_client)(survive(kept[0]))
	expect("nexmo_client_free, a second time,", C.nexmo_client_free(stale), C.NEXMO_ERR_INVALID_HANDLE)
	fmt.Printf("%s: %d handles held as unsafe.Pointer\n", runtime.Version(), len(kept))
}
