// The guest in Rust, with the canonical ABI by hand: texts are a pointer and a length.
use std::alloc::{alloc, realloc, Layout};

#[link(wasm_import_module = "$root")]
extern "C" {
    fn say(at: *const u8, length: usize);
}

#[no_mangle]
pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if old.is_null() {
        alloc(Layout::from_size_align_unchecked(size, align))
    } else {
        realloc(old, Layout::from_size_align_unchecked(old_size, align), size)
    }
}

static mut TOTAL: u64 = 0;

#[no_mangle]
pub unsafe extern "C" fn add(amount: u32) -> u64 {
    TOTAL += amount as u64;
    TOTAL
}

static mut ANSWER: (usize, usize) = (0, 0);

#[no_mangle]
pub unsafe extern "C" fn greet(at: *mut u8, length: usize) -> *const (usize, usize) {
    let name = String::from_utf8_unchecked(Vec::from_raw_parts(at, length, length));
    let line = format!("greeting {}", name);
    say(line.as_ptr(), line.len());
    let answer = format!("Hello, {}!", name).into_bytes().leak();
    ANSWER = (answer.as_ptr() as usize, answer.len());
    &ANSWER
}

#[no_mangle]
pub extern "C" fn fail() {
    panic!("on purpose");
}
