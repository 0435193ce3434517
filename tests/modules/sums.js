// The same functions in every language.

class NoBike extends Error {
  code = 42;
}

/**
 * Adds two numbers.
 *
 * The second is five if it is left out.
 *
 * @example add(2, 3) // 5
 * @param {integer} a - the first number
 * @param {integer} b - the second number
 * @returns {integer} the sum
 */
exports.add = function (a, b = 5) {
  return a + b;
};

/**
 * Halves a number.
 * @param {number} x
 * @returns {number}
 */
exports.half = (x) => x / 2;

/**
 * Greets somebody.
 * @param {string} name
 * @returns {Promise<string>}
 */
exports.greet = async (name) => `Hello, ${name}!`;

/**
 * Tests whether a number is even.
 * @param {integer} n
 * @returns {boolean}
 */
exports.is_even = (n) => n % 2 === 0;

/** Does nothing. */
exports.nothing = function nothing() {};

/**
 * Returns the same time one day later.
 * @param {Date} day
 * @returns {Date}
 */
exports.next_day = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1, day.getHours(), day.getMinutes(), day.getSeconds());

/**
 * Returns octets in reverse.
 * @param {Uint8Array} octets
 * @returns {Uint8Array}
 */
exports.turn = (octets) => octets.reverse();

/**
 * Lists squares.
 * @param {integer} n
 * @returns {integer[]}
 */
exports.squares = (n) => Array.from({ length: n }, (_, i) => (i + 1) * (i + 1));

/**
 * Adds many numbers.
 * @param {integer[]} numbers
 * @returns {integer}
 */
exports.total = (numbers) => numbers.reduce((a, b) => a + b, 0);

/**
 * Makes a point.
 * @param {integer} x
 * @param {integer} y
 * @returns {{x: integer, y: integer}}
 */
exports.point = (x, y) => ({ x, y });

/**
 * Swaps the sides of a point.
 * @param {{x: integer, y: integer}} point
 */
exports.swap = (point) => ({ x: point.y, y: point.x });

/**
 * Returns how long each word is.
 * @param {string[]} words
 * @returns {Record<string, integer>}
 */
exports.lengths = (words) => Object.fromEntries(words.map((word) => [word, [...word].length]));

/** Returns what it gets. */
exports.same = (value) => value;

/** Fails for a reason that callers know. */
exports.fail = () => {
  throw new NoBike("no bikes left");
};

/** Fails for a reason of its own. */
exports.crash = async () => {
  throw new Error("secret");
};

/** Prints something. */
exports.say = () => {
  console.log("something to log");
  return 1;
};

/**
 * Returns a number beyond the doubles.
 * @returns {bigint}
 */
exports.big = () => 9007199254740993n;

/**
 * Counts characters.
 * @param {string} text
 */
exports.count = (text) => [...text].length;

/** Returns what it was called with. */
exports.three = (a = 1, b = 2, c = 3) => [a, b, c];

/**
 * Greets the caller.
 * @param {string} greeting
 */
exports.who = (greeting, request) => `${greeting}, ${request.remote_addr}`;

exports._hidden = () => 1;
