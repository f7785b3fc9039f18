// The guest in AssemblyScript, with the canonical ABI by hand: texts are a pointer and a length.
@external("$root", "say")
declare function say(at: usize, length: usize): void;

let total: u64 = 0;

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const at = heap.alloc(size);
  if (old != 0) memory.copy(at, old, oldSize);
  return at;
}

export function add(amount: u32): u64 {
  total += amount;
  return total;
}

export function greet(at: usize, length: usize): usize {
  const name = String.UTF8.decodeUnsafe(at, length);
  const line = String.UTF8.encode("greeting " + name);
  say(changetype<usize>(line), line.byteLength);
  const answer = String.UTF8.encode("Hello, " + name + "!");
  const result = heap.alloc(8);
  store<u32>(result, changetype<usize>(answer) as u32);
  store<u32>(result, answer.byteLength as u32, 4);
  return result;
}

export function fail(): void {
  unreachable();
}
