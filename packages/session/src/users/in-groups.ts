/** More at once would wait for each other until their time is over. */
const together = 100

/** Does the same for each of many, some at a time, and resolves to the answers in their order. */
export async function inGroups<Item, Answer>(
  items: readonly Item[],
  task: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let from = 0; from < items.length; from += together) {
    answers.push(...(await Promise.all(items.slice(from, from + together).map(task))))
  }
  return answers
}
