// What texts are made of: each exported function is a method of the service.

/** A text that cannot be counted. */
class EmptyText extends Error {
  code = 1;
}

/**
 * Counts the words of a text.
 *
 * @param {string} text - any text
 * @returns {{words: integer, letters: integer}} words, and the letters in them
 * @throws {EmptyText} there is no word in the text
 */
export function count(text) {
  const words = text.match(/\p{L}+/gu) ?? [];
  if (words.length === 0) throw new EmptyText("there is no word in the text");
  return { words: words.length, letters: words.join("").length };
}

/**
 * Lists the words that come most often, with how often they come.
 *
 * @param {string} text - any text
 * @param {integer} [least=2] - how often a word has to come
 * @returns {Promise<Record<string, integer>>}
 */
export async function frequent(text, least = 2) {
  const counts = {};
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) counts[word] = (counts[word] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).filter(([, times]) => times >= least));
}
