/** Does every word of the query occur in the text? Case and accents do not count: "maq nova" finds "Nova máquina". */
export function matches(query: string, text: string): boolean {
  const plain = fold(text)
  return fold(query)
    .split(/\s+/)
    .every((word) => plain.includes(word))
}

function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLocaleLowerCase()
    .trim()
}
