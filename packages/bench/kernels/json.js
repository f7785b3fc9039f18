// JSON there and back in an interpreter, `times` times.
const value = Array.from({ length: 50 }, (_, id) => ({
  id,
  name: `name ${id}`,
  tags: ["a", "b"],
  at: id / 3,
}));

export function json(times) {
  let length = 0;
  for (let index = 0; index < times; index += 1)
    length = JSON.stringify(JSON.parse(JSON.stringify(value))).length;
  return length;
}
